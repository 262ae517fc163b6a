// The C header compiles alone as C++17, and the C++ header does what it says.
#include <sync_engine.h>

int c_header_alone() { return SYNC_ENGINE_CHECK_VERSION(); }

#include <sync_engine.hpp>

#include <cstdio>
#include <filesystem>
#include <type_traits>
#include <unistd.h>

static_assert(!std::is_copy_constructible_v<concord::engine> && std::is_nothrow_move_constructible_v<concord::engine>);
static_assert(!std::is_copy_constructible_v<concord::subscription> && std::is_nothrow_move_constructible_v<concord::subscription>);
static_assert(std::is_base_of_v<std::runtime_error, concord::error>);

int main() {
  const auto path = std::filesystem::temp_directory_path() / ("sync_engine_cpp_" + std::to_string(getpid()) + ".db");
  int failed = 0;
  auto check = [&failed](bool right, const char *title) {
    std::printf("  %s - %s\n", right ? "ok" : "FAILED", title);
    if (!right) failed++;
  };
  {
    concord::engine first(path.string(), "http://127.0.0.1:1", "id.secret");
    concord::engine engine(std::move(first));
    auto subscription = engine.subscribe([](const concord::event &) {});
    subscription = engine.subscribe([](const concord::event &) {});
    const std::string id = engine.create(R"({"text":"hi"})", std::nullopt, "Title");
    engine.patch(id, R"([{"op":"str_ins","path":"/text","pos":2,"str":"!"}])");
    check(engine.read(id).value == R"({"text":"hi!"})" && engine.read(id).title == "Title", "an engine that was moved into still works");
    check(engine.list("default").size() == 1 && engine.pending() == 2 && engine.quarantine().empty() && engine.conflicts(id).empty(), "lists come as vectors");
    try {
      engine.patch(id, R"([{"op":"remove","path":"/none"}])");
      check(false, "a failure is thrown with its status, place and operation");
    } catch (const concord::error &error) {
      check(error.status() == SYNC_ENGINE_PATH_NOT_FOUND && error.path() == "/none" && error.operation() == 0, "a failure is thrown with its status, place and operation");
    }
  }
  check(concord::utf16_length("\xF0\x9F\x98\x80") == 2, "offsets count UTF-16 units");
  for (const char *ending : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + ending);
  std::printf("%d passed, %d failed\n", 4 - failed, failed);
  return failed == 0 && c_header_alone() == 0 ? 0 : 1;
}
