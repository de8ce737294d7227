/* From an empty folder to a finished workflow, in one process: an organization, a service that is a
 * function of this program, a right with its reason, a joined page, a run that waits for a person, and
 * the journal of it all. Built and run by the tests, statically, shared and under valgrind.
 *
 *   cc quickstart.c $(pkg-config --cflags --libs buildly) -o quickstart
 */
#include <buildly.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program if something has failed, and says why. */
static void must(buildly_code code, buildly_error *error) {
  if (code == BUILDLY_CODE_OK) return;
  fprintf(stderr, "%s: %s\n", buildly_code_name(code), error->message.data);
  buildly_error_free(error);
  exit(1);
}

/* A value in a JSON text. */
static buildly_buffer at(buildly_buffer json, const char *pointer) {
  buildly_error error;
  buildly_buffer value;
  must(buildly_json_at(buildly_of(json), buildly_text(pointer), &value, &error), &error);
  return value;
}

/* Performs one of the operations that `buildly_operations` names. */
static buildly_buffer perform(buildly_deployment deployment, const char *operation, const char *arguments) {
  buildly_error error;
  buildly_buffer answer;
  must(buildly_perform(deployment, buildly_text(operation), buildly_text(arguments), &answer, &error), &error);
  return answer;
}

/* A service: called on threads of the library's, for `GET /thing/` and `GET /thing/{id}/`. */
static int answer(void *context, const buildly_incoming *incoming, buildly_reply reply) {
  const char *name = context;
  char body[128];
  long id = incoming->target.length > 7 ? strtol(incoming->target.data + 7, NULL, 10) : 0;
  if (id > 0) {
    snprintf(body, sizeof body, "{\"id\": %ld, \"name\": \"%s %ld\"}", id, name, id);
  } else {
    snprintf(body, sizeof body, "[{\"id\": 1, \"name\": \"%s 1\"}]", name);
  }
  buildly_reply_header(reply, buildly_text("Content-Type"), buildly_text("application/json"), NULL);
  return buildly_reply_body(reply, buildly_text(body), NULL) == BUILDLY_CODE_OK ? 0 : 1;
}

static const char *const DOCUMENT =
    "{\"openapi\": \"3.0.0\", \"info\": {\"title\": \"Things\", \"version\": \"1\"}, \"paths\": {"
    "\"/thing/\": {\"get\": {\"operationId\": \"list\", \"responses\": {}}},"
    "\"/thing/{id}/\": {\"get\": {\"operationId\": \"read\", \"responses\": {}}}}}";

static const char *const ONBOARDING =
    "{\"name\": \"onboarding\", \"levels\": ["
    "{\"name\": \"contact\", \"do\": {\"call\": {\"operation\": \"crm.read\", \"parameters\": {\"id\": \"input.id\"}}}},"
    "{\"name\": \"approve\", \"do\": {\"task\": {\"group\": \"Admins\", \"show\": \"levels.contact\","
    "\"form\": {\"type\": \"object\", \"required\": [\"yes\"]}}}}]}";

int main(void) {
  buildly_error error;
  buildly_deployment deployment;
  buildly_buffer token;

  /* A temporary folder; a path instead of it keeps everything. */
  must(buildly_open(buildly_none(), buildly_none(), &deployment, &error), &error);
  must(buildly_create_superuser(deployment, buildly_text("ada"), buildly_text("Correct-horse-9-battery"),
                                buildly_text("Acme"), buildly_none(), NULL, &error), &error);
  must(buildly_sign_in(deployment, buildly_text("ada"), buildly_text("Correct-horse-9-battery"), &token, &error),
       &error);
  buildly_slice ada = buildly_of(token);

  /* Services that are functions of this program. */
  must(buildly_register_function(deployment, ada, buildly_text("crm"), buildly_text(DOCUMENT), answer,
                                 "contact", NULL, 0, &error), &error);
  must(buildly_register_function(deployment, ada, buildly_text("papers"), buildly_text(DOCUMENT), answer,
                                 "offer", NULL, 0, &error), &error);

  /* May she, and why? */
  bool is_allowed;
  buildly_buffer reason;
  must(buildly_check_permission(deployment, ada, buildly_text("read"), buildly_text("crm"), &is_allowed, &reason,
                                &error), &error);
  printf("ada may%s read: %s\n", is_allowed ? "" : " not", reason.data);

  /* A page of one service, joined with the records of another. */
  buildly_buffer contact = perform(deployment, "create_record_type",
      "{\"caller\": {\"acting_as\": \"ada\"}, \"service\": \"crm\", \"model\": \"Contact\","
      " \"endpoint\": \"/thing/\", \"key_field\": \"id\"}");
  buildly_buffer paper = perform(deployment, "create_record_type",
      "{\"caller\": {\"acting_as\": \"ada\"}, \"service\": \"papers\", \"model\": \"Paper\","
      " \"endpoint\": \"/thing/\", \"key_field\": \"id\"}");
  buildly_buffer origin = at(contact, "/id"), related = at(paper, "/id");
  buildly_buffer origin_type = at(contact, "/name"), related_type = at(paper, "/name");
  char arguments[512];
  snprintf(arguments, sizeof arguments,
           "{\"caller\": {\"acting_as\": \"ada\"}, \"key\": \"offers\", \"origin\": \"%s\", \"related\": \"%s\"}",
           origin.data, related.data);
  buildly_buffer relationship = perform(deployment, "create_relationship", arguments);
  snprintf(arguments, sizeof arguments,
           "{\"caller\": {\"acting_as\": \"ada\"}, \"origin_type\": \"%s\", \"origin\": 1,"
           " \"related_type\": \"%s\", \"related\": 7}", origin_type.data, related_type.data);
  buildly_buffer linked = perform(deployment, "link", arguments);
  buildly_response page;
  must(buildly_request(deployment, ada, buildly_text("GET"), buildly_text("/crm/thing/?join"), NULL, 0,
                       buildly_none(), 0, &page, &error), &error);
  printf("%d %s\n", page.status, page.body.data);

  /* A run that calls the service, and waits for a person. */
  buildly_buffer run;
  must(buildly_publish_template(deployment, ada, buildly_text(ONBOARDING), NULL, &error), &error);
  must(buildly_start_run(deployment, ada, buildly_text("onboarding"), buildly_text("{\"id\": \"1\"}"), &run,
                         &error), &error);
  buildly_buffer run_id = at(run, "/id"), tasks, task;
  for (;;) {
    must(buildly_tasks(deployment, ada, buildly_of(run_id), true, &tasks, &error), &error);
    if (buildly_json_at(buildly_of(tasks), buildly_text("/items/0/id"), &task, NULL) == BUILDLY_CODE_OK) break;
    buildly_buffer version = at(run, "/version");
    uint64_t seen = strtoull(version.data, NULL, 10);
    buildly_buffer_free(&version);
    buildly_buffer_free(&tasks);
    buildly_buffer_free(&run);
    must(buildly_wait_for_change(deployment, ada, buildly_of(run_id), seen, 30000, &run, &error), &error);
  }
  buildly_buffer_free(&run);
  buildly_buffer shown = at(tasks, "/items/0/show/name");
  printf("to approve: %s\n", shown.data);
  must(buildly_complete_task(deployment, ada, buildly_of(task), buildly_text("{\"yes\": true}"), NULL, &error),
       &error);
  must(buildly_wait_for_run(deployment, ada, buildly_of(run_id), 30000, &run, &error), &error);
  buildly_buffer status = at(run, "/status"), result = at(run, "/result");
  printf("%s %s\n", status.data, result.data);

  /* The journal, page by page. */
  uint64_t before = 0;
  int events = 0;
  for (;;) {
    buildly_buffer part, sequence;
    must(buildly_events(deployment, ada, before, 10, &part, &error), &error);
    int in_part = 0;
    char pointer[32];
    for (;; in_part++) {
      snprintf(pointer, sizeof pointer, "/%d/sequence", in_part);
      if (buildly_json_at(buildly_of(part), buildly_text(pointer), &sequence, NULL) != BUILDLY_CODE_OK) break;
      before = strtoull(sequence.data, NULL, 10);
      buildly_buffer_free(&sequence);
    }
    buildly_buffer_free(&part);
    if (in_part == 0) break;
    events += in_part;
  }
  printf("%s, the first is number %" PRIu64 "\n", events > 10 ? "more than ten events" : "few events", before);

  /* Errors say what is wrong, and nothing crashes. */
  buildly_buffer nobody;
  buildly_code code = buildly_me(deployment, buildly_text("no token"), &nobody, &error);
  printf("%s: %s\n", buildly_code_name(code), error.message.data);
  buildly_error_free(&error);
  must(buildly_close(deployment, &error), &error);
  code = buildly_close(deployment, &error);
  printf("%s: %s\n", buildly_code_name(code), error.message.data);
  buildly_error_free(&error);
  printf("%zu handles are left\n", buildly_handles_live());

  buildly_buffer *all[] = {&token, &reason, &contact, &paper, &origin, &related, &origin_type, &related_type,
                           &relationship, &linked, &run, &run_id, &tasks, &task, &shown, &status, &result};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) buildly_buffer_free(all[i]);
  buildly_response_free(&page);
  return 0;
}
