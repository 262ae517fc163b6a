/* The header compiles alone, as strict C11. */
#include <sync_engine.h>

#include <stdio.h>

int main(void) {
  sync_engine_error error = SYNC_ENGINE_ERROR_INIT;
  sync_engine_options options = SYNC_ENGINE_OPTIONS_INIT;
  sync_engine_info info = SYNC_ENGINE_INFO_INIT;
  int right = error.size + options.size + info.size > 0 && SYNC_ENGINE_CHECK_VERSION() == SYNC_ENGINE_OK;
  printf("%d passed, %d failed\n", right, !right);
  return !right;
}
