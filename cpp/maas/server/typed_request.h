// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "maas/server/catalog.h"
#include "maas/server/http.h"
#include "maas/server/request_fields.h"
#include "maas/tensor/tensor.h"

namespace maas {

// One way in which the body of a typed endpoint may hold its fields.
struct BodyKind {
  std::string_view media_type;
  void (*read)(const HttpRequest& http, RequestFields& fields);
  std::string_view others = "body";  // where fields are named
};

// How this request's body is read, by its Content-Type: an object of JSON; and where the endpoint
// takes media, a form, or the body itself as the one field that takes it, the others in the query.
// Throws invalid_argument with status 415 that says what the endpoint takes.
const BodyKind& body_kind(const HttpRequest& http, const EndpointSpec& endpoint);

// Reads the fields into one tensor per field, in the order of the model's inputs, absent where an
// input has no field: see RequestFields. Throws invalid_argument for a body that breaks its form,
// too_large when it would take more than `max_bytes` of memory, and unprocessable with all that is
// wrong with the fields as detail. REQUIRES: what body_kind() gave for this request, and an
// endpoint that passed check_catalog()
void read_typed_request(const BodyKind& kind,
                        const HttpRequest& http,
                        const EndpointSpec& endpoint,
                        std::size_t max_bytes,
                        std::vector<Tensor>& inputs);

}  // namespace maas
