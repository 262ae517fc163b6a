/*
 * sync_engine.hpp - the C library as C++17 values: owners that move, strings that own themselves, exceptions.
 *
 * Header only, namespace concord (the C handle already has the name sync_engine). Every failure is thrown as concord::error, which carries the status. What sync_engine.h says of threads
 * and callbacks holds here; an exception that leaves a callback goes to nobody and is swallowed.
 */
#ifndef SYNC_ENGINE_HPP
#define SYNC_ENGINE_HPP

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sync_engine.h"

namespace concord {

/* What went wrong, with everything sync_engine_error tells. */
class error : public std::runtime_error {
 public:
  explicit error(const sync_engine_error &details)
      : std::runtime_error(std::string(sync_engine_status_name(details.status)) + ": " + details.message), details_(details) {}
  sync_engine_status status() const noexcept { return details_.status; }
  bool retryable() const noexcept { return sync_engine_status_retryable(details_.status); }
  /* JSON pointer of the place, and the index of the operation (-1: not about one). */
  std::string path() const { return details_.path; }
  int operation() const noexcept { return details_.operation; }
  const sync_engine_error &details() const noexcept { return details_; }

 private:
  sync_engine_error details_;
};

struct document {
  std::string id;
  std::string collection;
  std::string title;
  std::string value; /* JSON text */
  std::int64_t revision;
  bool deleted;
  bool pending;
};

struct quarantined {
  std::int64_t id;
  std::string document_id;
  std::string patch_id;
  std::string kind;
  std::string payload;
  sync_engine_status status;
  std::string message;
};

struct conflict {
  std::string document_id;
  std::int64_t revision;
  std::int64_t position;
  std::string rule;
  bool own_lost;
  std::string path;
  std::string lost;
  std::string losing;
  std::string winning;
  std::string explanation;
  std::string restore;
};

struct event {
  sync_engine_event_kind kind;
  std::string document_id; /* empty with SYNC_ENGINE_EVENT_CONNECTION */
  sync_engine_status status;
};

struct options {
  std::string database_path;
  std::string server_url;
  std::string auth_token;
  std::string workspace_id; /* empty: the only one of the token */
  std::string ca_file;      /* empty: the system's */
  std::chrono::milliseconds connect_timeout{0};
  std::chrono::milliseconds request_timeout{0};
  bool durable = false;
};

namespace detail {

/* A sync_engine_error to pass, and the throw when the call failed. */
class check {
 public:
  sync_engine_error *out() noexcept { return &error_; }
  void operator()(sync_engine_status status) const {
    if (status != SYNC_ENGINE_OK) throw concord::error(error_);
  }

 private:
  sync_engine_error error_ = SYNC_ENGINE_ERROR_INIT;
};

template <typename T, void (*Free)(T *)>
struct deleter {
  void operator()(T *owned) const noexcept { Free(owned); }
};
template <typename T, void (*Free)(T *)>
using owner = std::unique_ptr<T, deleter<T, Free>>;

inline document copy(const sync_engine_document &from) {
  return {from.id, from.collection, from.title, from.value, from.revision, from.deleted, from.pending};
}
inline quarantined copy(const sync_engine_quarantined &from) {
  return {from.id, from.document_id, from.patch_id, from.kind, from.payload, from.status, from.message};
}
inline conflict copy(const sync_engine_conflict &from) {
  return {from.document_id, from.revision, from.position, from.rule, from.own_lost, from.path, from.lost, from.losing, from.winning, from.explanation, from.restore};
}

template <typename List>
auto copy_all(const List &list) {
  std::vector<decltype(copy(*list.items[0]))> all;
  all.reserve(list.count);
  for (std::size_t index = 0; index < list.count; index++) all.push_back(copy(*list.items[index]));
  return all;
}

}  // namespace detail

/* Ends its subscription when it goes; must go before its engine. */
class subscription {
 public:
  subscription() = default;
  subscription(subscription &&) noexcept = default;
  subscription &operator=(subscription &&other) noexcept {
    handle_.reset(); /* first, so that the old function outlives its last call */
    handle_ = std::move(other.handle_);
    function_ = std::move(other.function_);
    return *this;
  }
  ~subscription() { handle_.reset(); }

 private:
  friend class engine;
  using function = std::function<void(const event &)>;
  std::unique_ptr<function> function_;
  detail::owner<::sync_engine_subscription, sync_engine_subscription_release> handle_;

  static void call(::sync_engine *, const sync_engine_event *from, void *user_data) noexcept {
    try {
      (*static_cast<function *>(user_data))({from->kind, from->document_id == nullptr ? "" : from->document_id, from->status});
    } catch (...) { /* no exception may cross the C library */
    }
  }
};

/* One replica. Moves, does not copy. */
class engine {
 public:
  engine(std::string_view database_path, std::string_view server_url, std::string_view auth_token)
      : engine(options{std::string(database_path), std::string(server_url), std::string(auth_token), "", "", {}, {}, false}) {}

  explicit engine(const options &from) {
    detail::check check;
    check(SYNC_ENGINE_CHECK_VERSION() == SYNC_ENGINE_OK ? SYNC_ENGINE_OK : mismatch(check.out()));
    sync_engine_options options = SYNC_ENGINE_OPTIONS_INIT;
    options.database_path = from.database_path.c_str();
    options.server_url = from.server_url.c_str();
    options.auth_token = from.auth_token.empty() ? nullptr : from.auth_token.c_str();
    options.workspace_id = from.workspace_id.empty() ? nullptr : from.workspace_id.c_str();
    options.ca_file = from.ca_file.empty() ? nullptr : from.ca_file.c_str();
    options.connect_timeout_ms = from.connect_timeout.count();
    options.request_timeout_ms = from.request_timeout.count();
    options.durable = from.durable;
    ::sync_engine *created = nullptr;
    check(sync_engine_create_with(&created, &options, check.out()));
    handle_.reset(created);
  }

  /* Creates a document and returns its id; without an id, a random one. */
  std::string create(std::string_view value_json, std::optional<std::string> id = std::nullopt, std::string_view title = "",
                     std::string_view collection = "default") {
    detail::check check;
    char *made = nullptr;
    check(sync_engine_document_create(&made, get(), id ? id->c_str() : nullptr, std::string(collection).c_str(), std::string(title).c_str(),
                                      std::string(value_json).c_str(), check.out()));
    detail::owner<char, sync_engine_string_free> owned(made);
    return owned.get();
  }

  document read(std::string_view id) const {
    detail::check check;
    sync_engine_document *found = nullptr;
    check(sync_engine_document_get(&found, get(), std::string(id).c_str(), check.out()));
    detail::owner<sync_engine_document, sync_engine_document_free> owned(found);
    return detail::copy(*owned);
  }

  /* The living documents of a collection, or (nullopt) of all, by id. */
  std::vector<document> list(const std::optional<std::string> &collection = std::nullopt) const {
    detail::check check;
    sync_engine_documents *found = nullptr;
    check(sync_engine_document_list(&found, get(), collection ? collection->c_str() : nullptr, check.out()));
    detail::owner<sync_engine_documents, sync_engine_documents_free> owned(found);
    return detail::copy_all(*owned);
  }

  void patch(std::string_view id, std::string_view patch_json) {
    detail::check check;
    check(sync_engine_document_patch(get(), std::string(id).c_str(), std::string(patch_json).c_str(), check.out()));
  }

  void remove(std::string_view id) {
    detail::check check;
    check(sync_engine_document_delete(get(), std::string(id).c_str(), check.out()));
  }

  void restore(std::string_view id) {
    detail::check check;
    check(sync_engine_document_restore(get(), std::string(id).c_str(), check.out()));
  }

  std::int64_t pending() const {
    detail::check check;
    std::int64_t count = 0;
    check(sync_engine_pending_count(&count, get(), check.out()));
    return count;
  }

  std::vector<quarantined> quarantine(const std::optional<std::string> &document_id = std::nullopt) const {
    detail::check check;
    sync_engine_quarantine *found = nullptr;
    check(sync_engine_quarantine_list(&found, get(), document_id ? document_id->c_str() : nullptr, check.out()));
    detail::owner<sync_engine_quarantine, sync_engine_quarantine_free> owned(found);
    return detail::copy_all(*owned);
  }

  void remove_quarantined(std::int64_t id) {
    detail::check check;
    check(sync_engine_quarantine_remove(get(), id, check.out()));
  }

  std::vector<conflict> conflicts(const std::optional<std::string> &document_id = std::nullopt) const {
    detail::check check;
    sync_engine_conflicts *found = nullptr;
    check(sync_engine_conflict_list(&found, get(), document_id ? document_id->c_str() : nullptr, check.out()));
    detail::owner<sync_engine_conflicts, sync_engine_conflicts_free> owned(found);
    return detail::copy_all(*owned);
  }

  /* Pushes everything and pulls until up to date; 0: without a time limit. */
  void sync(std::chrono::milliseconds timeout = std::chrono::milliseconds{0}) {
    detail::check check;
    check(sync_engine_sync(get(), timeout.count(), check.out()));
  }

  void start() {
    detail::check check;
    check(sync_engine_start(get(), check.out()));
  }

  void stop() {
    detail::check check;
    check(sync_engine_stop(get(), check.out()));
  }

  void set_token(std::string_view token) {
    detail::check check;
    check(sync_engine_set_token(get(), std::string(token).c_str(), check.out()));
  }

  sync_engine_info info() const {
    detail::check check;
    sync_engine_info found = SYNC_ENGINE_INFO_INIT;
    check(sync_engine_info_get(&found, get(), check.out()));
    return found;
  }

  /* Calls the function, on a thread of the exchange, for what an exchange changed; until the subscription goes. */
  [[nodiscard]] subscription subscribe(std::function<void(const event &)> function) {
    detail::check check;
    subscription made;
    ::sync_engine_subscription *handle = nullptr;
    made.function_ = std::make_unique<subscription::function>(std::move(function));
    check(sync_engine_subscribe(&handle, get(), subscription::call, made.function_.get(), check.out()));
    made.handle_.reset(handle);
    return made;
  }

  /* The C handle, borrowed. */
  ::sync_engine *get() const noexcept { return handle_.get(); }

 private:
  detail::owner<::sync_engine, sync_engine_destroy> handle_;

  static sync_engine_status mismatch(sync_engine_error *error) {
    error->status = SYNC_ENGINE_ABI_MISMATCH;
    std::snprintf(error->message, sizeof error->message, "built for %s, running %s", SYNC_ENGINE_VERSION, sync_engine_version());
    return error->status;
  }
};

/* UTF-16 code units of UTF-8 text: the offset that str_ins and str_del want. */
inline std::int64_t utf16_length(std::string_view text) { return sync_engine_utf16_length(std::string(text).c_str(), text.size()); }

}  // namespace concord

#endif
