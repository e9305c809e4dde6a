// SPDX-License-Identifier: Apache-2.0
#include "maas/server/openapi.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "maas/server/json_reader.h"
#include "maas/server/json_writer.h"
#include "maas/server/openapi_components.h"
#include "maas/server/routes.h"

namespace maas {
namespace {

constexpr std::string_view kModel = "{model}";
constexpr std::string_view kVersioned = "{model}/versions/{version}";
constexpr std::string_view kEndpointErrors = "400 413 415 422 500 503 504";

// What any request may be answered with before it reaches its operation.
constexpr std::string_view kRefused = "maas.Refused";
constexpr std::string_view kRefusedResponse =
    R"({"description":"The request is none that the server takes: its host, origin, verb, )"
    R"(framing or size.","content":{"application/json":{)"
    R"("schema":{"$ref":"#/components/schemas/maas.Error"}}}})";

// Begins a member; a comma comes before all but the first.
void append_key(std::string& out, std::string_view key) {
  out += out.ends_with('{') ? "" : ",";
  append_json_string(out, key);
  out += ':';
}

void append_text(std::string& out, std::string_view key, std::string_view text) {
  append_key(out, key);
  append_json_string(out, text);
}

void append_response(std::string& out, std::string_view status, std::string_view name) {
  append_key(out, status);
  out += R"({"$ref":"#/components/responses/)";
  out += name;
  out += R"("})";
}

// `statuses` without those of which `taken` has a key.
void append_errors(std::string& out, std::string_view statuses, std::string_view taken) {
  for (; !statuses.empty(); statuses.remove_prefix(std::min<std::size_t>(4, statuses.size()))) {
    const std::string_view status = statuses.substr(0, 3);
    if (taken.find(status) == std::string_view::npos) {
      append_response(out, status, error_response(status));
    }
  }
}

void append_parameters(std::string& out, std::string_view path) {
  append_key(out, "parameters");
  out += '[';
  constexpr std::pair<std::string_view, std::string_view> kParts[] = {
      {"{model}", "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"}, {"{version}", "^[1-9][0-9]{0,8}$"}};
  for (const auto& [name, pattern] : kParts) {
    if (path.find(name) != std::string_view::npos) {
      out += out.ends_with('[') ? R"({"name":")" : R"(,{"name":")";
      out += name.substr(1, name.size() - 2);
      out += R"(","in":"path","required":true,"schema":{"type":"string","pattern":")";
      out += pattern;
      out += R"("}})";
    }
  }
  out += ']';
}

void append_route(std::string& out,
                  const Route& route,
                  std::string_view path,
                  std::string_view id) {
  append_key(out, path);
  out += '{';
  append_parameters(out, path);
  append_key(out, route.method == Method::kGet ? "get" : "post");
  out += '{';
  append_text(out, "operationId", id);
  append_text(out, "summary", route.summary);
  append_text(out, "x-scope", route.scope);
  if (route.scope == "infer") {
    append_key(out, "parameters");
    out += '[';
    out += urgency_parameters();
    out += ']';
  }
  append_key(out, "tags");
  out += R"(["server"])";
  if (!route.request.empty()) {
    append_key(out, "requestBody");
    out += R"({"required":true,"content":{"application/json":{"schema":{"$ref":)";
    append_json_string(out, "#/components/schemas/" + std::string(route.request));
    out += "}}}}";
  }
  append_key(out, "responses");
  out += '{';
  append_response(out, "200", route.answer);
  append_errors(out, route.errors, "");
  append_response(out, "default", kRefused);
  out += "}}}";
}

void append_routes(std::string& out) {
  for (const Route& route : routes()) {
    if (route.answer.empty()) {
      continue;
    }
    append_route(out, route, route.path, route.id);
    if (route.path.starts_with(kModelRoutes)) {
      std::string path(route.path);
      path.replace(path.find(kModel), kModel.size(), kVersioned);
      append_route(out, route, path, std::string(route.id) + "_of_version");
    }
  }
}

// The responses that the operation has itself, and the errors of every endpoint.
void append_responses(std::string& out, std::string_view text) {
  std::string statuses;
  JsonReader json(text);
  json.begin_object();
  out += '{';
  while (const auto key = json.next_key()) {
    statuses += *key;
    statuses += ' ';
    append_key(out, *key);
    out += json.skip();
  }
  if (statuses.empty()) {
    append_key(out, "200");
    out += R"({"description":"The answer."})";
  }
  append_errors(out, kEndpointErrors, statuses);
  append_response(out, "default", kRefused);
  out += '}';
}

// The parameters that the operation has itself, an array, and those of every endpoint.
void append_parameters_with_urgency(std::string& out, std::string_view own) {
  own.remove_suffix(1);
  out += own;
  out += own.find('{') == std::string_view::npos ? "" : ",";
  out += urgency_parameters();
  out += ']';
}

void append_endpoint(std::string& out, const EndpointSpec& endpoint) {
  std::string_view responses = "{}";
  std::string_view parameters = "[]";
  append_key(out, endpoint.path);
  out += R"({"post":{)";
  JsonReader json(endpoint.operation.empty() ? std::string_view("{}") : endpoint.operation);
  json.begin_object();
  while (const auto key = json.next_key()) {
    if (*key == "responses") {
      responses = json.skip();
    } else if (*key == "parameters") {
      parameters = json.skip();
    } else {
      append_key(out, *key);
      out += json.skip();
    }
  }
  append_text(out, "x-scope", "infer");
  append_key(out, "parameters");
  append_parameters_with_urgency(out, parameters);
  append_key(out, "responses");
  append_responses(out, responses);
  out += "}}";
}

void append_schemas(std::string& out, std::string_view components) {
  out += '{';
  out += own_schemas();
  JsonReader json(components);
  json.begin_object();
  while (const auto key = json.next_key()) {
    append_key(out, *key);
    out += json.skip();
  }
  out += '}';
}

}  // namespace

void write_openapi(const ServerOptions& options, const Catalog& catalog, std::string& body) {
  body += R"({"openapi":"3.1.0","info":{)";
  append_text(body, "title", options.title);
  append_text(body, "version", options.version);
  body += R"(},"paths":{)";
  for (const EndpointSpec& endpoint : catalog.endpoints) {
    append_endpoint(body, endpoint);
  }
  append_routes(body);
  body += R"(},"components":{"schemas":)";
  append_schemas(body, catalog.components);
  body += R"(,"parameters":{)";
  body += own_parameters();
  body += R"(},"responses":{)";
  body += own_responses();
  append_key(body, kRefused);
  body += kRefusedResponse;
  body += "}}}";
}

}  // namespace maas
