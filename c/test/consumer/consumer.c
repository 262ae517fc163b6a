#include <stdio.h>
#include <sync_engine.h>

int main(int count, char **arguments) {
  sync_engine *engine = count > 1 ? sync_engine_create(arguments[1], "http://127.0.0.1:1", "id.secret") : NULL;
  sync_engine_status status = engine == NULL ? SYNC_ENGINE_STORAGE : sync_engine_document_create(NULL, engine, NULL, NULL, "Hello", "{}", NULL);
  printf("%s %s\n", sync_engine_version(), sync_engine_status_name(status));
  sync_engine_destroy(engine);
  return status == SYNC_ENGINE_OK ? 0 : 1;
}
