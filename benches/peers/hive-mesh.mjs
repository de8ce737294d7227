// Composes the stub's three OpenAPI documents into one supergraph whose joins are batched: one call
// of documents and one of appointments, whatever the number of customers.
import { defineConfig } from '@graphql-mesh/compose-cli';
import { loadOpenAPISubgraph } from '@omnigraph/openapi';

const up = Number(process.env.UP_PORT);
const service = (name, place) => ({
  sourceHandler: loadOpenAPISubgraph(name, {
    source: `http://127.0.0.1:${up + place}/${name}/openapi.json`,
    endpoint: `http://127.0.0.1:${up + place}`,
  }),
});

export const composeConfig = defineConfig({
  subgraphs: [service('customers', 1), service('documents', 2), service('appointments', 3)],
  additionalTypeDefs: `
    extend type Customer {
      document: Document @resolveTo(sourceName: "documents", sourceTypeName: "Query",
        sourceFieldName: "documents_list", requiredSelectionSet: "{ id }", keyField: "id", keysArg: "id__in")
      appointment: Appointment @resolveTo(sourceName: "appointments", sourceTypeName: "Query",
        sourceFieldName: "appointments_list", requiredSelectionSet: "{ id }", keyField: "id", keysArg: "id__in")
    }`,
});
