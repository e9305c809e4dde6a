// SPDX-License-Identifier: Apache-2.0
// Shows Boost; only the sources of this layer include it.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace maas {

// Throws invalid_argument that says what `what` is and why it is not JSON.
boost::json::value parse_json(std::string_view text, std::string_view what);

// One text for one value: keys in the order of their bytes, no spaces, shortest numbers.
std::string canonical_json(const boost::json::value& value);

// Members of an object, of the kind that they must have. Throw invalid_argument.
const boost::json::value& member(const boost::json::object& object, std::string_view key);
std::string string_member(const boost::json::object& object, std::string_view key);
std::int64_t integer_member(const boost::json::object& object, std::string_view key);

}  // namespace maas
