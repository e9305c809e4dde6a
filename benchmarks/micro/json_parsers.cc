// SPDX-License-Identifier: Apache-2.0
#include "json_parsers.h"

#include <cstddef>
#include <memory>

#include <boost/json/src.hpp>
#if MAAS_HAS_SIMDJSON
#include <simdjson.h>
#endif

namespace {

JsonParser boost_json(const std::string& list) {
  const auto text = std::make_shared<const std::string>("[" + list);
  return {"boost_json", [text](std::vector<float>& out) {
            std::size_t at = 0;
            const boost::json::value parsed = boost::json::parse(*text);
            for (const boost::json::value& item : parsed.as_array()) {
              out[at++] = item.to_number<float>();
            }
          }};
}

#if MAAS_HAS_SIMDJSON
JsonParser simdjson_on_demand(const std::string& list) {
  const auto text = std::make_shared<const simdjson::padded_string>("[" + list);
  const auto parser = std::make_shared<simdjson::ondemand::parser>();
  return {"simdjson", [text, parser](std::vector<float>& out) {
            std::size_t at = 0;
            simdjson::ondemand::document document = parser->iterate(*text);
            for (auto item : document.get_array()) {
              out[at++] = static_cast<float>(item.get_double().value());
            }
          }};
}
#endif

}  // namespace

std::vector<JsonParser> json_parsers(const std::string& list) {
  std::vector<JsonParser> parsers;
  parsers.push_back(boost_json(list));
#if MAAS_HAS_SIMDJSON
  parsers.push_back(simdjson_on_demand(list));
#endif
  return parsers;
}
