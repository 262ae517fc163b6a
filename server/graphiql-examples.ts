/** What the headers tab begins with; the token goes behind "Bearer ". */
const headers = JSON.stringify({ Authorization: 'Bearer ' }, null, 2);

/** The tabs of a first visit, in the order in which a newcomer would try them. */
export const exampleTabs: readonly { readonly query: string; readonly variables?: string; readonly headers: string }[] = [
  {
    headers,
    query: `# 1. Put your token behind "Bearer "
#    in the Headers tab below.
# 2. Press the play button. The other
#    tabs then use the token too.
query Who {
  viewer {
    name
    workspaces { id name role }
  }
}
`,
  },
  {
    headers,
    query: `mutation Create {
  createDocument(
    id: "groceries"
    collection: "lists"
    title: "Groceries"
    value: { items: ["bread"], count: 1, note: "for Sunday" }
  ) {
    __typename
    ... on Edited { document { id revision value } }
    ... on Refused { code message }
  }
}
`,
  },
  {
    headers,
    query: `# Operations of RFC 6902, and inc, str_ins, str_del. To see it arrive, run Watch in a second browser
# tab first: GraphiQL ends a subscription when you leave its tab.
mutation Patch($patch: JSON!) {
  patchDocument(id: "groceries", patch: $patch) {
    __typename
    ... on Edited { document { revision value } commit { position } }
    ... on Refused { code message path }
  }
}
`,
    variables: JSON.stringify(
      { patch: [{ op: 'add', path: '/items/-', value: 'milk' }, { op: 'inc', path: '/count', value: 1 }, { op: 'str_ins', path: '/note', pos: 0, str: 'Fresh, ' }] },
      null,
      2,
    ),
  },
  {
    headers,
    query: `subscription Watch {
  document(id: "groceries") { revision value }
}
`,
  },
  {
    headers,
    query: `query Find {
  documents(collection: "lists", first: 10) {
    nodes { id title revision value updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  },
  {
    headers,
    query: `# What a replica does: edits with ids and clocks of its own. Send it twice: the second answer is the first again (duplicate).
mutation Push($replicaId: ID!, $edits: [EditInput!]!) {
  push(replicaId: $replicaId, edits: $edits) {
    verdicts {
      __typename
      ... on Committed { documentId revision position duplicate }
      ... on Refused { documentId code message }
    }
  }
}
`,
    variables: JSON.stringify(
      {
        replicaId: '00000000000000000000000000000001',
        edits: [
          { documentId: 'from-a-replica', patchId: 'first', counter: 1, clock: { epoch: 1, base: 0 }, action: { create: { collection: 'lists', title: 'Pushed', value: { done: false } } } },
          { documentId: 'from-a-replica', patchId: 'second', counter: 2, clock: { epoch: 1, base: 0 }, action: { patch: [{ op: 'replace', path: '/done', value: true }] } },
        ],
      },
      null,
      2,
    ),
  },
];
