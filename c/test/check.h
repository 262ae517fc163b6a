/* The least a test needs: named cases, checks that say where they failed, a count at the end. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int passed_cases;
static int failed_cases;
static int failed_checks;

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      failed_checks++;                                                          \
      printf("    %s:%d: not so: %s\n", __FILE__, __LINE__, #condition);        \
    }                                                                           \
  } while (0)

#define CHECK_TEXT(actual, expected)                                                                        \
  do {                                                                                                      \
    const char *found_ = (actual);                                                                          \
    if (found_ == NULL || strcmp(found_, (expected)) != 0) {                                                \
      failed_checks++;                                                                                      \
      printf("    %s:%d: %s is %s, not %s\n", __FILE__, __LINE__, #actual, found_ == NULL ? "NULL" : found_, (expected)); \
    }                                                                                                       \
  } while (0)

#define CHECK_STATUS(actual, expected)                                                                                              \
  do {                                                                                                                              \
    sync_engine_status status_ = (actual);                                                                                          \
    if (status_ != (expected)) {                                                                                                    \
      failed_checks++;                                                                                                              \
      printf("    %s:%d: %s is %s, not %s\n", __FILE__, __LINE__, #actual, sync_engine_status_name(status_), sync_engine_status_name(expected)); \
    }                                                                                                                               \
  } while (0)

/* Runs one case; its title is a sentence about behaviour. */
static inline void check_case(const char *title, void (*run)(void)) {
  int before = failed_checks;
  run();
  printf("  %s - %s\n", failed_checks == before ? "ok" : "FAILED", title);
  if (failed_checks == before) passed_cases++;
  else failed_cases++;
}

static inline int check_end(void) {
  printf("%d passed, %d failed\n", passed_cases, failed_cases);
  return failed_cases == 0 ? 0 : 1;
}

#endif
