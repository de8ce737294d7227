/* Buildly in C: identity, gateway, mesh and workflow engine in your process.
 *
 * Generated from bindings/c/src; docs/c.md is the guide. In short:
 *
 * - Every function that can fail returns a code, BUILDLY_CODE_OK (0) if it worked, and takes as its last
 *   argument where to say what went wrong (or NULL). Free what it says with buildly_error_free.
 * - What comes in has a length (buildly_slice; buildly_text makes one of a C string). What comes out is
 *   a buildly_buffer, to be freed with buildly_buffer_free. Structured values are JSON.
 * - Places for what comes out are emptied first, so that they can be freed whatever happened; what they
 *   held before is not freed. Pointers are NULL or point to what their type says.
 * - Handles are numbers. A closed or wrong one is an error. Any thread may use any handle.
 * - `caller` is the token that buildly_sign_in gives, or an API key; NULL is nobody who is signed in.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Whether it worked, and if not, what can be done about it.
 */
typedef enum {
  /**
   * It worked.
   */
  BUILDLY_CODE_OK = 0,
  /**
   * The input is wrong; correct it. `fields` of the error says where.
   */
  BUILDLY_CODE_INVALID = 1,
  /**
   * Nobody is signed in; sign in.
   */
  BUILDLY_CODE_UNAUTHENTICATED = 2,
  /**
   * Signed in, but not allowed; ask for the right.
   */
  BUILDLY_CODE_FORBIDDEN = 3,
  /**
   * There is no such thing, or not for this caller.
   */
  BUILDLY_CODE_NOT_FOUND = 4,
  /**
   * The state does not take this change; read again and decide again.
   */
  BUILDLY_CODE_CONFLICT = 5,
  /**
   * Too much or too often; wait.
   */
  BUILDLY_CODE_LIMITED = 6,
  /**
   * Something that is needed does not answer; try again later.
   */
  BUILDLY_CODE_UNAVAILABLE = 7,
  /**
   * Stored data or the library's own state is broken; a person must act.
   */
  BUILDLY_CODE_CORRUPT = 8,
  /**
   * The handle was closed.
   */
  BUILDLY_CODE_CLOSED = 9,
  /**
   * The deployment was opened before this process was forked; open it in this one.
   */
  BUILDLY_CODE_FORKED = 10,
} buildly_code;

/**
 * Bytes that this library has allocated; `data[length]` is 0, so that a text is a C string.
 *
 * Free them with `buildly_buffer_free`, and no other way.
 */
typedef struct {
  char *data;
  size_t length;
} buildly_buffer;

/**
 * Bytes that the host owns: a text in UTF-8, or a body. `data` NULL says that there is none.
 *
 * They need to be there, and unchanged, until the function that takes them has returned.
 */
typedef struct {
  const char *data;
  size_t length;
} buildly_slice;

/**
 * A header field.
 */
typedef struct {
  /**
   * Its name.
   */
  buildly_slice name;
  /**
   * Its value.
   */
  buildly_slice value;
} buildly_header;

/**
 * What went wrong. Every function that takes one writes it: all zero if it worked.
 *
 * After a failure, free it with `buildly_error_free` before it is used again.
 */
typedef struct {
  /**
   * What the function returned.
   */
  buildly_code code;
  /**
   * A sentence for people.
   */
  buildly_buffer message;
  /**
   * Every refused field, as a JSON array of objects with `field` and `message`; `data` is NULL
   * if it is not about fields.
   */
  buildly_buffer fields;
  /**
   * After how many seconds to come again; 0 if that is not known.
   */
  double retry_after_s;
} buildly_error;

/**
 * A deployment that was opened. 0 is none.
 */
typedef struct {
  /**
   * Its number.
   */
  uint64_t id;
} buildly_deployment;

/**
 * What the gateway has answered. Free it with `buildly_response_free`.
 */
typedef struct {
  /**
   * The status; 0 if there is no answer.
   */
  uint16_t status;
  /**
   * The body.
   */
  buildly_buffer body;
  /**
   * The header fields, for `buildly_header_find`.
   */
  buildly_header *headers;
  /**
   * How many there are.
   */
  size_t headers_count;
  /**
   * What the header fields point into.
   */
  buildly_buffer storage;
} buildly_response;

/**
 * A call of a function of the host's. Everything in it is there until the function returns.
 */
typedef struct {
  /**
   * Such as `GET`.
   */
  buildly_slice method;
  /**
   * The path below the service, and the query.
   */
  buildly_slice target;
  /**
   * The header fields, for `buildly_header_find`.
   */
  const buildly_header *headers;
  /**
   * How many there are.
   */
  size_t headers_count;
  /**
   * The body, at most 16 MiB.
   */
  buildly_slice body;
} buildly_incoming;

/**
 * The answer to a call of a function of the host's, as long as that call goes on. 0 is none.
 */
typedef struct {
  /**
   * Its number.
   */
  uint64_t id;
} buildly_reply;

/**
 * A function of the host's that answers calls, by `buildly_reply_status`, `buildly_reply_header` and
 * `buildly_reply_body`, and returns 0; anything else says that it has failed, and the caller gets 500.
 *
 * It is called on threads of the library's, several at once, and may wait and use the library. No
 * exception of C++ and no `longjmp` may leave it.
 */
typedef int (*buildly_service_function)(void *context,
                                        const buildly_incoming *incoming,
                                        buildly_reply reply);

/**
 * Told once that `context` is no longer used.
 */
typedef void (*buildly_release_function)(void *context);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Frees what this library has allocated, and empties the buffer: freeing it again does nothing.
 */
void buildly_buffer_free(buildly_buffer *buffer);

/**
 * The value of the first header of that name, in any case of letters; `data` is NULL if there is none.
 */
buildly_slice buildly_header_find(const buildly_header *headers,
                                  size_t count,
                                  buildly_slice name);

/**
 * Frees what an error holds, and empties it: freeing it again does nothing.
 */
void buildly_error_free(buildly_error *error);

/**
 * The name of a code, such as `not_found`: the same word in every language. Never free it.
 */
const char *buildly_code_name(int32_t code);

/**
 * How many handles are live: 0 once everything that was opened is closed.
 */
size_t buildly_handles_live(void);

/**
 * Opens the data folder at `path`, and makes it if there is none.
 *
 * Without a path it is a temporary folder, which is gone once the deployment is closed. A folder
 * belongs to one process at a time, and any number of its threads may use the handle at once.
 * `options` is NULL, or a JSON object: `public_url` (for links in mail), `works_for_runs`
 * (default true), `threads` (default 2), `database_url` and `database_schema` (a PostgreSQL
 * database instead of a file in the folder: any number of processes may use it at once), and
 * `deployment_key` (64 hexadecimal digits that all of them share; else the folder keeps it).
 */
buildly_code buildly_open(buildly_slice path,
                          buildly_slice options,
                          buildly_deployment *deployment,
                          buildly_error *error);

/**
 * Whether the handle can be used: open, in this process.
 */
bool buildly_is_open(buildly_deployment deployment);

/**
 * Ends all work; what was acknowledged is on disk.
 *
 * What other threads wait for ends with `BUILDLY_CODE_CLOSED`, as does every later use of the
 * handle, closing again included.
 */
buildly_code buildly_close(buildly_deployment deployment, buildly_error *error);

/**
 * The version of the library, such as `0.1.0`. Never free it.
 */
const char *buildly_version(void);

/**
 * Makes the first user of a deployment, who may do everything, and the organization.
 *
 * `user` may be NULL; else it is the user as JSON.
 */
buildly_code buildly_create_superuser(buildly_deployment deployment,
                                      buildly_slice username,
                                      buildly_slice password,
                                      buildly_slice organization,
                                      buildly_slice email,
                                      buildly_buffer *user,
                                      buildly_error *error);

/**
 * Registers a user. The organization is founded if there is none of that name, and its founder
 * administers it.
 *
 * Without an administrator as `caller` (NULL: nobody), whoever joins an organization waits for
 * approval. `user` may be NULL; else it is the user as JSON.
 */
buildly_code buildly_register(buildly_deployment deployment,
                              buildly_slice caller,
                              buildly_slice username,
                              buildly_slice password,
                              buildly_slice organization,
                              buildly_slice email,
                              buildly_buffer *user,
                              buildly_error *error);

/**
 * Signs a user in. The token is the `caller` of other functions.
 *
 * The operation `sign_in` gives the refresh token, too.
 */
buildly_code buildly_sign_in(buildly_deployment deployment,
                             buildly_slice username,
                             buildly_slice password,
                             buildly_buffer *token,
                             buildly_error *error);

/**
 * Who the caller is, as JSON.
 */
buildly_code buildly_me(buildly_deployment deployment,
                        buildly_slice caller,
                        buildly_buffer *user,
                        buildly_error *error);

/**
 * Whether the caller may `create`, `read`, `update` or `delete` what a service has, and which rule decided.
 *
 * A refusal is an answer: `is_allowed` is false, and the function returns `BUILDLY_CODE_OK`. `reason` may
 * be NULL.
 */
buildly_code buildly_check_permission(buildly_deployment deployment,
                                      buildly_slice caller,
                                      buildly_slice action,
                                      buildly_slice service,
                                      bool *is_allowed,
                                      buildly_buffer *reason,
                                      buildly_error *error);

/**
 * Performs an operation by its name; arguments and answer are JSON.
 *
 * `buildly_operations` names them all, `docs/c.md` says what they take. The argument `caller` says
 * who asks: `{"token": "..."}` (an access token or API key), `{"acting_as": "ada"}` (that user
 * without proof: whoever can open the folder owns it), or nobody who is signed in.
 */
buildly_code buildly_perform(buildly_deployment deployment,
                             buildly_slice operation,
                             buildly_slice arguments,
                             buildly_buffer *answer,
                             buildly_error *error);

/**
 * The names of all operations, as a JSON array.
 */
buildly_code buildly_operations(buildly_buffer *names, buildly_error *error);

/**
 * A value in a JSON text, by its JSON Pointer (RFC 6901), such as `/live/0/phase`.
 *
 * Of a text it is what the text says, of everything else its JSON. `BUILDLY_CODE_NOT_FOUND` if there is none.
 */
buildly_code buildly_json_at(buildly_slice json,
                             buildly_slice pointer,
                             buildly_buffer *value,
                             buildly_error *error);

/**
 * Reads events of the journal of the caller's organization, newest first, as a JSON array.
 *
 * The caller is an administrator. `before_sequence` 0 begins with the newest; the `sequence` of the
 * last one of a page goes on with the next. A page that is empty is the end.
 */
buildly_code buildly_events(buildly_deployment deployment,
                            buildly_slice caller,
                            uint64_t before_sequence,
                            uint32_t limit,
                            buildly_buffer *events,
                            buildly_error *error);

/**
 * Sends a request through the gateway and reads the whole answer, at most 64 MiB of it.
 *
 * `target` begins with the name of a service, as in `/crm/contact/?limit=5`; with `?join` the answer
 * holds the linked records of other services. Any status is an answer, for which the function
 * returns `BUILDLY_CODE_OK`. `timeout_ms` 0 waits as long as the gateway does.
 */
buildly_code buildly_request(buildly_deployment deployment,
                             buildly_slice caller,
                             buildly_slice method,
                             buildly_slice target,
                             const buildly_header *headers,
                             size_t headers_count,
                             buildly_slice body,
                             uint64_t timeout_ms,
                             buildly_response *response,
                             buildly_error *error);

/**
 * Frees what an answer holds, and empties it: freeing it again does nothing.
 */
void buildly_response_free(buildly_response *response);

/**
 * Registers a service that listens at `url`, by its OpenAPI document there.
 *
 * `service` may be NULL; else it is the service as JSON. The operation `register_service` takes more.
 */
buildly_code buildly_register_service(buildly_deployment deployment,
                                      buildly_slice caller,
                                      buildly_slice name,
                                      buildly_slice url,
                                      buildly_buffer *service,
                                      buildly_error *error);

/**
 * Registers a service that is a function of the host's; `document` is its OpenAPI document as JSON.
 *
 * A call that takes longer than `timeout_ms` (0: 30 seconds) is answered with 504; at most 64
 * calls of a service are under way at once. `release` may be NULL; else it is called once with
 * `context` when that is no longer used, also if this function fails. The registration is kept, the
 * function is not: register the service, or attach it, each time the folder is opened.
 */
buildly_code buildly_register_function(buildly_deployment deployment,
                                       buildly_slice caller,
                                       buildly_slice name,
                                       buildly_slice document,
                                       buildly_service_function function,
                                       void *context,
                                       buildly_release_function release,
                                       uint64_t timeout_ms,
                                       buildly_error *error);

/**
 * Lets a service that was registered before be a function of this process again: as
 * `buildly_register_function`, where nobody is there who may register.
 */
buildly_code buildly_attach_function(buildly_deployment deployment,
                                     buildly_slice name,
                                     buildly_slice document,
                                     buildly_service_function function,
                                     void *context,
                                     buildly_release_function release,
                                     uint64_t timeout_ms,
                                     buildly_error *error);

/**
 * Says which status the answer has, from 200 to 999; without it, 200.
 */
buildly_code buildly_reply_status(buildly_reply reply, uint16_t status, buildly_error *error);

/**
 * Adds a header field to the answer.
 */
buildly_code buildly_reply_header(buildly_reply reply,
                                  buildly_slice name,
                                  buildly_slice value,
                                  buildly_error *error);

/**
 * Says what the body of the answer is; it is copied.
 */
buildly_code buildly_reply_body(buildly_reply reply, buildly_slice body, buildly_error *error);

/**
 * Checks a template (a tree of levels, as JSON) and publishes it as its next version.
 *
 * `BUILDLY_CODE_INVALID` if something is wrong with it: `fields` of the error names every level, reason and
 * mending. `published` may be NULL; else it is the version as JSON.
 */
buildly_code buildly_publish_template(buildly_deployment deployment,
                                      buildly_slice caller,
                                      buildly_slice definition,
                                      buildly_buffer *published,
                                      buildly_error *error);

/**
 * Starts a run of a template's published version; `input` is JSON, or NULL for none.
 *
 * `run` is the run as JSON; `id` in it names it for other functions. The operation `start_run` takes a
 * version, a business key and an idempotency key, too.
 */
buildly_code buildly_start_run(buildly_deployment deployment,
                               buildly_slice caller,
                               buildly_slice template_name,
                               buildly_slice input,
                               buildly_buffer *run,
                               buildly_error *error);

/**
 * Waits until a run has ended, at most so long; gives the run as JSON, ended (`is_ended`) or not.
 */
buildly_code buildly_wait_for_run(buildly_deployment deployment,
                                  buildly_slice caller,
                                  buildly_slice run_id,
                                  uint64_t timeout_ms,
                                  buildly_buffer *run,
                                  buildly_error *error);

/**
 * Waits until a run has another `version` than the one that was seen, at most so long; gives the run
 * as JSON.
 */
buildly_code buildly_wait_for_change(buildly_deployment deployment,
                                     buildly_slice caller,
                                     buildly_slice run_id,
                                     uint64_t version_seen,
                                     uint64_t timeout_ms,
                                     buildly_buffer *run,
                                     buildly_error *error);

/**
 * The tasks of people, as a JSON object with `items` and `next`: of one run, or of all (`run_id` NULL);
 * those that the caller may do, or all that the caller may see.
 */
buildly_code buildly_tasks(buildly_deployment deployment,
                           buildly_slice caller,
                           buildly_slice run_id,
                           bool is_mine,
                           buildly_buffer *tasks,
                           buildly_error *error);

/**
 * Completes a task with what was filled in, which is JSON; the run goes on.
 *
 * `run` may be NULL; else it is the run as JSON.
 */
buildly_code buildly_complete_task(buildly_deployment deployment,
                                   buildly_slice caller,
                                   buildly_slice task_id,
                                   buildly_slice data,
                                   buildly_buffer *run,
                                   buildly_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* A C string, to be handed over; NULL is none. */
static inline buildly_slice buildly_text(const char *text) {
  buildly_slice slice = {text, text ? strlen(text) : 0};
  return slice;
}

/* Bytes, to be handed over. */
static inline buildly_slice buildly_bytes(const void *data, size_t length) {
  buildly_slice slice = {(const char *)data, length};
  return slice;
}

/* What a function has given, to be handed to another. */
static inline buildly_slice buildly_of(buildly_buffer buffer) {
  buildly_slice slice = {buffer.data, buffer.length};
  return slice;
}

/* Nothing, where something may be left out. */
static inline buildly_slice buildly_none(void) {
  buildly_slice slice = {NULL, 0};
  return slice;
}
