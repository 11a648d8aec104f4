import { ConfigError, nearestName, rejectUnknownKeys } from '@synapsekit/core';
import { checkBaseURL, checkDialect } from '@synapsekit/core/chat-completions';
import { type Host, type HostName, hosts } from './hosts.ts';

const textKeys = [
  'provider',
  'service',
  'baseURL',
  'baseURLVariable',
  'apiKeyVariable',
  'apiKeyPage',
  'apiKeyPrefix',
] as const satisfies readonly (keyof Host)[];
const hostKeys: readonly (keyof Host)[] = [...textKeys, 'capabilities', 'dialect'];

/**
 * A host by its name, or one of the user's own, checked.
 *
 * @throws ConfigError for a name that is not known, or a description that is wrong.
 */
export function findHost(host: HostName | Host): Host {
  if (typeof host === 'string') {
    if (Object.hasOwn(hosts, host)) return hosts[host];
    const names = Object.keys(hosts);
    const meant = nearestName(host, names);
    const help = meant === undefined ? `Known are: ${names.join(', ')}.` : `Did you mean "${meant}"?`;
    throw new ConfigError(
      `There is no host "${host}". ${help} One that is missing can be described: { provider, service, baseURL }.`,
      { option: 'host' },
    );
  }
  if (typeof host !== 'object' || host === null) {
    throw new ConfigError(`host must be a name (${Object.keys(hosts).join(', ')}) or a description.`, {
      option: 'host',
    });
  }
  rejectUnknownKeys(host, hostKeys, 'host');
  for (const option of textKeys) {
    const value = host[option];
    const absent = value === undefined && option !== 'provider' && option !== 'service';
    if (absent || (typeof value === 'string' && value.trim() !== '')) continue;
    throw new ConfigError(`host.${option} must be a non-empty string.`, { option: `host.${option}` });
  }
  if (host.provider === 'openai') {
    throw new ConfigError(
      'host.provider must not be "openai": its models are those of @synapsekit/llm-openai.',
      {
        option: 'host.provider',
      },
    );
  }
  if (host.baseURL !== undefined) checkBaseURL(host.baseURL, 'host.baseURL');
  if (host.dialect !== undefined) checkDialect(host.dialect, 'host.dialect');
  return host;
}
