/** How hard a question is. */
export type Complexity = 'simple' | 'medium' | 'complex';

/** The labels, in order. */
export const complexities: readonly Complexity[] = ['simple', 'medium', 'complex'];

const makes = /\b(write|implement|build|code|develop|program|refactor|debug|design|create|optimi[sz]e)\b/i;
const software =
  /\b(code|function|class|program|script|algorithm|implementation|module|api|app|application|service|compiler|parser|quer(y|ies)|schema|tests?|system|architecture|b-?tree|data structure|python|javascript|typescript|java|rust|sql|regex)\b/i;
const deep =
  /\b(worked example|step[- ]by[- ]step|in[- ]depth|in detail|detailed|comprehensive|thorough|prove|proof|derive|analy[sz]e|critically|evaluate|code example|essay)\b/i;
const reasons =
  /\b(explain|difference|differences|differ|compare|contrast|versus|vs|summari[sz]e|describe|discuss|outline|overview|trade-?offs?|pros and cons|advantages?|disadvantages?|why|how (do|does|can|could|should|would|is|are|to)|translate|suggest|recommend|plan|write|draft)\b/i;

/** Judges a question by its words and its length: the same question always gets the same label. */
export function complexityOf(question: string): Complexity {
  const words = question.trim().split(/\s+/).length;
  if (deep.test(question) || (makes.test(question) && software.test(question)) || words > 60)
    return 'complex';
  if (/```/.test(question)) return 'complex';
  if (reasons.test(question) || words > 20) return 'medium';
  return 'simple';
}
