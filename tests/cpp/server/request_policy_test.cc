// SPDX-License-Identifier: Apache-2.0
#include "maas/server/request_policy.h"

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/server/http_status.h"

namespace maas {
namespace {

using ::testing::HasSubstr;

struct RequestPolicyTest : ::testing::Test {
  // The status with which the request is refused; 0 when it is not.
  int refusal(Method method, std::string_view authority, const std::vector<Header>& headers = {}) {
    const RequestPolicy policy(options, port);
    HttpRequest http;
    http.method = method;
    http.authority = authority;
    http.headers = headers;
    try {
      policy.check(http);
      return 0;
    } catch (const Error& error) {
      return http_status(error);
    }
  }
  int host(std::string_view authority) { return refusal(Method::kGet, authority); }

  ServerOptions options;
  std::atomic<int> port{8000};
};

TEST_F(RequestPolicyTest, on_loopback_only_loopback_names_are_answered_for) {
  for (const char* own : {"localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"}) {
    EXPECT_EQ(host(own), 0) << own;
  }
  for (const char* foreign : {"evil.example", "evil.example:8000", "localhost:8001", "",
                              "127.0.0.2", "localhost.evil.example", "xlocalhost", "localhost."}) {
    EXPECT_EQ(host(foreign), 421) << foreign;
  }
}

TEST_F(RequestPolicyTest, address_it_is_bound_to_is_its_own) {
  options.host = "127.0.0.7";
  EXPECT_EQ(host("127.0.0.7:8000"), 0);
  options.host = "::1";
  EXPECT_EQ(host("[::1]:8000"), 0);
}

TEST_F(RequestPolicyTest, elsewhere_any_name_is_answered_for_unless_some_are_listed) {
  options.host = "0.0.0.0";
  EXPECT_EQ(host("api.example:443"), 0);
  options.allowed_hosts = {"api.example", "*.inner.example", "one.example:81"};
  EXPECT_EQ(host("api.example:443"), 0);
  EXPECT_EQ(host("a.inner.example"), 0);
  EXPECT_EQ(host("inner.example"), 421);
  EXPECT_EQ(host("one.example:81"), 0);
  EXPECT_EQ(host("one.example:82"), 421);
  EXPECT_EQ(host("localhost:8000"), 421);
  options.allowed_hosts = {"*"};
  EXPECT_EQ(host("what.ever"), 0);
}

TEST_F(RequestPolicyTest, request_without_a_host_is_no_browsers) {
  EXPECT_EQ(host({}), 0);
}

TEST_F(RequestPolicyTest, pages_of_other_origins_may_read_but_not_act) {
  for (const Header& foreign :
       {Header{"Origin", "https://evil.example"}, Header{"Origin", "null"}, Header{"Origin", ""},
        Header{"Origin", "http://localhost:1"}, Header{"sec-fetch-site", "cross-site"},
        Header{"Sec-Fetch-Site", "same-site"}, Header{"Sec-Fetch-Site", "x"}}) {
    for (const Method method :
         {Method::kPost, Method::kPut, Method::kPatch, Method::kDelete, Method::kOther}) {
      EXPECT_EQ(refusal(method, "localhost:8000", {foreign}), 403) << foreign.value;
    }
    for (const Method method : {Method::kGet, Method::kHead, Method::kOptions}) {
      EXPECT_EQ(refusal(method, "localhost:8000", {foreign}), 0) << foreign.value;
    }
  }
  const Header origin{"Origin", "https://evil.example"};
  EXPECT_EQ(refusal(Method::kGet, "localhost", {{"Upgrade", "websocket"}, origin}), 403);
}

TEST_F(RequestPolicyTest, its_own_pages_and_people_may_act) {
  const std::vector<Header> page = {{"Origin", "http://localhost:8000"},
                                    {"Sec-Fetch-Site", "same-origin"}};
  EXPECT_EQ(refusal(Method::kPost, "localhost:8000", page), 0);
  EXPECT_EQ(refusal(Method::kPost, "localhost:8000", {{"Sec-Fetch-Site", "none"}}), 0);
  EXPECT_EQ(refusal(Method::kPost, "localhost", {{"Origin", "https://localhost"}}), 0);
  EXPECT_EQ(refusal(Method::kPost, "localhost"), 0);
}

TEST_F(RequestPolicyTest, listed_origins_may_act_and_read) {
  options.cors_origins = {"https://app.example"};
  const std::vector<Header> page = {{"Origin", "https://app.example"},
                                    {"Sec-Fetch-Site", "cross-site"},
                                    {"Access-Control-Request-Method", "POST"}};
  EXPECT_EQ(refusal(Method::kPost, "localhost", page), 0);
  const RequestPolicy policy(options, port);
  HttpRequest http;
  http.method = Method::kOptions;
  http.headers = page;
  EXPECT_THAT(policy.cors_fields(http),
              HasSubstr("Access-Control-Allow-Origin: https://app.example\r\nVary: Origin\r\n"));
  EXPECT_THAT(policy.preflight_fields(http, "POST, OPTIONS"),
              HasSubstr("Access-Control-Allow-Methods: POST, OPTIONS\r\n"));
  const std::vector<Header> other = {{"Origin", "https://app.example.evil"},
                                     {"Access-Control-Request-Method", "POST"}};
  http.headers = other;
  EXPECT_EQ(policy.cors_fields(http), "Vary: Origin\r\n");
  EXPECT_EQ(policy.preflight_fields(http, "POST"), "");
}

TEST_F(RequestPolicyTest, any_origin_is_never_any_origin_with_credentials) {
  options.cors_origins = {"*"};
  const RequestPolicy policy(options, port);
  const std::vector<Header> page = {{"Origin", "https://what.ever"}};
  HttpRequest http;
  http.headers = page;
  EXPECT_THAT(policy.cors_fields(http), HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_EQ(policy.cors_fields(http).find("Credentials"), std::string_view::npos);
}

TEST_F(RequestPolicyTest, without_a_list_there_are_no_fields) {
  const RequestPolicy policy(options, port);
  const std::vector<Header> page = {{"Origin", "https://what.ever"}};
  HttpRequest http;
  http.headers = page;
  EXPECT_EQ(policy.cors_fields(http), "");
}

}  // namespace
}  // namespace maas
