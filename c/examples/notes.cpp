// A shopping list kept in agreement with a Concord server, offline first.
//
//   notes <database file> <server URL> <token> [item to add ...]
//
// Adds the items (which works offline), exchanges with the server if it is there, and prints the list.
#include <cstdlib>
#include <iostream>
#include <string>

#include <sync_engine.hpp>

namespace {

// JSON text of a string, for items typed by a person.
std::string quoted(const std::string &text) {
  std::string json = "\"";
  for (char character : text) {
    if (character == '"' || character == '\\') json += '\\';
    json += character;
  }
  return json + '"';
}

}  // namespace

int main(int count, char **arguments) {
  if (count < 4) {
    std::cerr << "usage: " << arguments[0] << " <database file> <server URL> <token> [item ...]\n";
    return EXIT_FAILURE;
  }
  try {
    concord::engine engine(arguments[1], arguments[2], arguments[3]);
    auto watching = engine.subscribe([](const concord::event &event) {
      if (event.kind == SYNC_ENGINE_EVENT_DOCUMENT) std::cout << "changed: " << event.document_id << '\n';
    });

    try {
      engine.sync(std::chrono::seconds(5));
    } catch (const concord::error &error) {
      std::cout << "offline (" << error.what() << ")\n";
    }
    try {
      engine.create(R"({"items":[]})", "shopping", "Shopping", "notes");
    } catch (const concord::error &error) {
      if (error.status() != SYNC_ENGINE_DOCUMENT_EXISTS) throw;
    }
    for (int index = 4; index < count; index++) {
      engine.patch("shopping", R"([{"op":"add","path":"/items/-","value":)" + quoted(arguments[index]) + "}]");
    }
    try {
      if (engine.pending() > 0) engine.sync(std::chrono::seconds(5));
    } catch (const concord::error &error) {
      std::cout << engine.pending() << " edits wait for the server (" << sync_engine_status_name(error.status()) << ")\n";
    }
    std::cout << engine.read("shopping").value << '\n';
    return EXIT_SUCCESS;
  } catch (const concord::error &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
