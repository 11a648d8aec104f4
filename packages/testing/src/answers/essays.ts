import type { KnownAnswer } from './facts.ts';

/** Longer answers, of the kind that a dearer model is asked for. */
export const essays: readonly KnownAnswer[] = [
  {
    about: [/\brest\b/i, /\bgraphql\b/i],
    answer: `REST and GraphQL are two ways to design an API over HTTP.

With REST, every resource has its own URL (\`GET /users/42\`, \`GET /users/42/orders\`), the HTTP method says what to do, and the server decides which fields come back. That makes caching by URL easy and keeps each endpoint simple, but a page that needs several resources makes several requests (under-fetching) and often receives fields it never shows (over-fetching).

With GraphQL there is one endpoint and a typed schema. The client sends a query that names exactly the fields it wants, across related objects, and gets exactly those in one round trip. The price is more work on the server: resolvers, limits on query depth, and caching that can no longer rely on the URL.

In short: choose REST for simple, cacheable, public APIs, and GraphQL when many different clients need differently shaped data from the same graph.`,
  },
  {
    about: [/\bcap\b/i, /\btheorem\b/i],
    answer: `The CAP theorem says that a distributed data store can give at most two of three guarantees at the same time:

- Consistency: every read sees the latest write.
- Availability: every request to a working node gets an answer that is no error.
- Partition tolerance: the system goes on working when the network between its nodes loses messages.

Since networks do fail, the real choice comes during a partition: refuse some requests to stay consistent, or answer all of them with data that may be old.

Examples: ZooKeeper and etcd are CP, a minority side of the cluster stops accepting writes. Cassandra and DynamoDB in their default settings are AP, every replica answers and they reconcile afterwards. A single PostgreSQL server is often called CA, but only because it has no partition to tolerate.`,
  },
  {
    about: [/\bprimes?\b/i, /\b(python|function|code|find|numbers)\b/i],
    answer: `Here is a Python function that finds all prime numbers up to N with the sieve of Eratosthenes:

\`\`\`python
def primes_up_to(n: int) -> list[int]:
    """Return all prime numbers p with 2 <= p <= n."""
    if n < 2:
        return []
    is_prime = bytearray([1]) * (n + 1)
    is_prime[0] = is_prime[1] = 0
    for p in range(2, int(n ** 0.5) + 1):
        if is_prime[p]:
            # Every smaller multiple of p has been crossed out by a smaller prime.
            is_prime[p * p :: p] = bytes(len(range(p * p, n + 1, p)))
    return [number for number, prime in enumerate(is_prime) if prime]


print(primes_up_to(30))  # [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
\`\`\`

How it works: it starts with every number marked as prime. For each prime p up to the square root of N it crosses out the multiples of p, starting at p * p. What is left is prime.

Time is O(N log log N), memory is one byte per number. For a very large N, a segmented sieve needs only O(sqrt(N)) memory.`,
  },
  {
    about: [/\bmerge ?sort\b/i],
    answer: `Merge sort splits the list in two halves, sorts each half in the same way, and merges the two sorted halves.

Time complexity: halving a list of n elements down to single ones takes log2(n) levels, and merging touches every element once per level. So T(n) = 2 T(n/2) + n, which is O(n log n), in the best, the average and the worst case alike.

Space complexity: merging needs a buffer of up to n elements and the recursion is log2(n) deep, so O(n) extra memory. (On linked lists it can be done with O(log n).)

Worked example, [5, 2, 4, 7, 1, 3]:

1. Split: [5, 2, 4] and [7, 1, 3].
2. Split again: [5] [2, 4] and [7] [1, 3]; then [2] [4] and [1] [3].
3. Merge the smallest: [2, 4] and [1, 3], with one comparison each.
4. Merge [5] with [2, 4]: take 2, take 4, take 5, giving [2, 4, 5]. Merge [7] with [1, 3], giving [1, 3, 7].
5. Merge [2, 4, 5] with [1, 3, 7]: 1 < 2, take 1; 2 < 3, take 2; 3 < 4, take 3; 4 < 7, take 4; 5 < 7, take 5; 7 is left. The result is [1, 2, 3, 4, 5, 7].

There are three levels for six elements (log2(6) is about 2.6) and never more than six moves per level, which is the n log n of the formula. Merge sort is also stable: of two equal elements the left one is taken first.`,
  },
  {
    about: [/\bself-?attention\b|\btransformers?\b/i],
    answer: `Self-attention lets every position of a sequence look at every other one and take from it what is relevant. Each token's vector x is projected three times: to a query ("what am I looking for"), a key ("what do I offer") and a value ("what do I pass on"). The weight between two positions is the scaled dot product of a query with a key, turned into probabilities by softmax; the output is the weighted sum of the values:

Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V

In Python with NumPy:

\`\`\`python
import numpy as np


def softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def self_attention(x, w_q, w_k, w_v, causal=False):
    """x: (tokens, d_model); w_*: (d_model, d_k). Returns (tokens, d_k)."""
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    scores = q @ k.T / np.sqrt(k.shape[-1])
    if causal:  # a decoder must not look ahead
        scores = np.where(np.tri(len(x), dtype=bool), scores, -np.inf)
    return softmax(scores) @ v


rng = np.random.default_rng(0)
x = rng.normal(size=(4, 8))
weights = [rng.normal(size=(8, 8)) for _ in range(3)]
print(self_attention(x, *weights).shape)  # (4, 8)
\`\`\`

Dividing by sqrt(d_k) keeps the scores from growing with the dimension, where softmax would saturate and gradients vanish. A transformer runs several such heads in parallel, each with its own projections, concatenates their outputs, and adds position information to x, since attention by itself does not know the order of the tokens. Cost is quadratic in the length of the sequence.`,
  },
  {
    about: [/\bmicroservices?\b/i],
    answer: `Microservices and a monolithic architecture trade simplicity against independence.

A monolith is one program and one deployment. Calls are function calls, a transaction covers everything, and a developer can run the whole thing on a laptop. As the team grows, builds slow down, one fault can take everything down, and every part must scale together.

Microservices are small programs with their own data, deployed on their own. Teams release independently, each service scales by itself, and a failure can be contained. In exchange every call crosses the network and can fail, data is only eventually consistent, and you need monitoring, tracing and automation from the first day.

A good rule: start with a well-structured monolith, and split off a service when a part has a different pace, load or owner.`,
  },
  {
    about: [/\btcp\b/i, /\budp\b/i],
    answer: `TCP sets up a connection and delivers a stream of bytes in order, without gaps: it numbers segments, acknowledges and repeats them, and slows down when the receiver or the network cannot keep up. UDP sends single datagrams and forgets them: no handshake, no order, no repetition, and therefore less delay. Use TCP where everything must arrive (web pages, mail, files), and UDP where late is as bad as lost (calls, games, DNS).`,
  },
  {
    about: [/\bb-?tree\b/i],
    answer: `Here is a compact B-tree in Python with search and insert. Every node but the root holds between t - 1 and 2t - 1 keys, and all leaves are equally deep.

\`\`\`python
from bisect import bisect_left, insort


class Node:
    def __init__(self, keys=None, children=None):
        self.keys = keys or []
        self.children = children or []


class BTree:
    def __init__(self, t=2):
        self.t, self.root = t, Node()

    def __contains__(self, key):
        node = self.root
        while True:
            at = bisect_left(node.keys, key)
            if at < len(node.keys) and node.keys[at] == key:
                return True
            if not node.children:
                return False
            node = node.children[at]

    def insert(self, key):
        if len(self.root.keys) == 2 * self.t - 1:
            self.root = Node(children=[self.root])
            self._split(self.root, 0)
        node = self.root
        while node.children:
            at = bisect_left(node.keys, key)
            if len(node.children[at].keys) == 2 * self.t - 1:
                self._split(node, at)
                at += key > node.keys[at]
            node = node.children[at]
        insort(node.keys, key)

    def _split(self, parent, at):
        full, t = parent.children[at], self.t
        right = Node(full.keys[t:], full.children[t:])
        parent.keys.insert(at, full.keys[t - 1])
        parent.children.insert(at + 1, right)
        full.keys, full.children = full.keys[: t - 1], full.children[:t]
\`\`\`

Full nodes are split on the way down, so an insert never has to go back up. Search and insert visit O(log n) nodes.`,
  },
];
