/* A child that was forked is refused, and harms nothing. */
#include <buildly.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  buildly_deployment deployment;
  buildly_buffer user;
  if (buildly_open(buildly_none(), buildly_none(), &deployment, NULL) != BUILDLY_CODE_OK) return 1;
  pid_t child = fork();
  if (child == 0) {
    buildly_error error;
    if (buildly_is_open(deployment)) _exit(2);
    if (buildly_me(deployment, buildly_none(), &user, &error) != BUILDLY_CODE_FORKED) _exit(3);
    if (strstr(error.message.data, "open it after the fork") == NULL) _exit(4);
    buildly_error_free(&error);
    if (buildly_close(deployment, NULL) != BUILDLY_CODE_FORKED) _exit(5);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return 6;
  if (buildly_me(deployment, buildly_none(), &user, NULL) != BUILDLY_CODE_UNAUTHENTICATED) return 7;
  if (buildly_close(deployment, NULL) != BUILDLY_CODE_OK) return 8;
  puts("refused");
  return 0;
}
