/* Wrong in every way that a program in C can be, looked at by valgrind: errors, and nothing left. */
#include <buildly.h>
#include <stdio.h>

static int refused;

static void expect(buildly_code code, buildly_error *error)
{
    if (code == BUILDLY_CODE_OK || error->code != code || error->message.length == 0) {
        fprintf(stderr, "not refused: %d, %s\n", (int)code, error->message.data ? error->message.data : "");
    } else {
        refused++;
    }
    buildly_error_free(error);
    buildly_error_free(error);
}

static int fails(void *context, const buildly_incoming *incoming, buildly_reply reply)
{
    (void)context, (void)incoming, (void)reply;
    return 7;
}

int main(void)
{
    buildly_deployment deployment, none = {0}, wild = {987654321};
    buildly_error error;
    buildly_buffer buffer;
    buildly_response response;
    buildly_slice broken = buildly_bytes("ad\xff", 3), belied = {NULL, 5}, nothing = buildly_none();
    buildly_slice name = buildly_text("ada"), get = buildly_text("GET"), path = buildly_text("/x/");

    expect(buildly_open(broken, nothing, &deployment, &error), &error);
    expect(buildly_open(buildly_text(""), nothing, &deployment, &error), &error);
    expect(buildly_open(buildly_bytes("a\0b", 3), nothing, &deployment, &error), &error);
    expect(buildly_open(nothing, buildly_text("[]"), &deployment, &error), &error);
    expect(buildly_open(nothing, nothing, NULL, &error), &error);
    if (buildly_open(nothing, nothing, &deployment, &error) != BUILDLY_CODE_OK) {
        return 1;
    }
    buildly_slice texts[] = {broken, belied, nothing};
    for (int i = 0; i < 3; i++) {
        buildly_slice text = texts[i];
        expect(buildly_sign_in(deployment, text, name, &buffer, &error), &error);
        expect(buildly_perform(deployment, text, nothing, &buffer, &error), &error);
        expect(buildly_request(deployment, nothing, text, path, NULL, 0, nothing, 0, &response, &error), &error);
        expect(buildly_request(deployment, nothing, get, text, NULL, 0, nothing, 0, &response, &error), &error);
        expect(buildly_attach_function(deployment, name, text, fails, NULL, NULL, 0, &error), &error);
        expect(buildly_attach_function(deployment, text, name, fails, NULL, NULL, 0, &error), &error);
        expect(buildly_json_at(buildly_text("{}"), text, &buffer, &error), &error);
        buildly_response_free(&response);
        buildly_buffer_free(&buffer);
    }
    expect(buildly_request(deployment, belied, get, path, NULL, 0, nothing, 0, &response, &error), &error);
    expect(buildly_request(deployment, nothing, get, path, NULL, 3, nothing, 0, &response, &error), &error);
    expect(buildly_request(deployment, nothing, get, path, NULL, 0, belied, 0, &response, &error), &error);
    expect(buildly_request(deployment, nothing, get, path, NULL, 0, nothing, 0, NULL, &error), &error);
    expect(buildly_attach_function(deployment, name, buildly_text("{}"), NULL, NULL, NULL, 0, &error), &error);
    expect(buildly_me(none, nothing, &buffer, &error), &error);
    expect(buildly_me(wild, nothing, &buffer, &error), &error);
    expect(buildly_close(wild, &error), &error);
    buildly_reply reply = {deployment.id};
    expect(buildly_reply_status(reply, 200, &error), &error);
    if (buildly_close(deployment, &error) != BUILDLY_CODE_OK) {
        return 1;
    }
    expect(buildly_me(deployment, nothing, &buffer, &error), &error);
    expect(buildly_close(deployment, &error), &error);
    buildly_buffer_free(&buffer);
    buildly_buffer_free(NULL);
    buildly_error_free(NULL);
    buildly_response_free(NULL);
    printf("%d refused, %zu handles are left\n", refused, (size_t)buildly_handles_live());
    return 0;
}
