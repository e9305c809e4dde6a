// SPDX-License-Identifier: Apache-2.0
#include "maas/server/head_fields.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(ReadTransferCoding, chunked_alone_is_the_one_that_is_known) {
  EXPECT_EQ(read_transfer_coding("chunked"), TransferCoding::kChunked);
  EXPECT_EQ(read_transfer_coding("Chunked"), TransferCoding::kChunked);
  for (const char* value :
       {"identity", "blegh", "xchunked", "chunkedchunked", "deflate, chunked"}) {
    EXPECT_EQ(read_transfer_coding(value), TransferCoding::kUnknown) << value;
  }
}

TEST(ReadTransferCoding, what_cannot_be_framed_is_malformed) {
  for (const char* value : {"", ",chunked", "chunked,", "\"chunked\"", "chunked;q=1", "\240chunked",
                            "chunked, chunked", "chunked, deflate", "gzip,,chunked"}) {
    EXPECT_EQ(read_transfer_coding(value), TransferCoding::kMalformed) << value;
  }
}

TEST(SplitTarget, divides_path_and_query) {
  HttpRequest http;
  EXPECT_TRUE(split_target("/a/b?c=d?e", http));
  EXPECT_EQ(http.path, "/a/b");
  EXPECT_EQ(http.query, "c=d?e");
  EXPECT_TRUE(split_target("/a", http));
  EXPECT_EQ(http.query, "");
}

TEST(SplitTarget, scheme_and_host_are_taken_apart) {
  HttpRequest http;
  EXPECT_TRUE(split_target("HTTP://example.org:80/x?y", http));
  EXPECT_EQ(http.path, "/x");
  EXPECT_EQ(http.query, "y");
  EXPECT_EQ(http.authority, "example.org:80");
  EXPECT_TRUE(split_target("http://example.org", http));
  EXPECT_EQ(http.path, "/");
  EXPECT_TRUE(split_target("http://example.org?y", http));
  EXPECT_EQ(http.path, "/");
  EXPECT_EQ(http.query, "y");
}

TEST(SplitTarget, other_forms_are_refused_but_for_options) {
  HttpRequest http;
  EXPECT_FALSE(split_target("example.org:443", http));
  EXPECT_FALSE(split_target("ftp://example.org/", http));
  EXPECT_FALSE(split_target("*", http));
  for (const char* target :
       {"http:///x", "http://u@example.org/x", "http://a b/", "/a#b", "a/b", ""}) {
    EXPECT_FALSE(split_target(target, http)) << target;
  }
  http.method = Method::kOptions;
  EXPECT_TRUE(split_target("*", http));
  http.method = Method::kConnect;
  EXPECT_TRUE(split_target("example.org:443", http));
  EXPECT_FALSE(split_target("/a", http));
}

TEST(MethodNamed, names_are_case_sensitive) {
  EXPECT_EQ(method_named("POST"), Method::kPost);
  EXPECT_EQ(method_named("post"), Method::kOther);
  EXPECT_EQ(method_named("DELETE"), Method::kDelete);
  EXPECT_EQ(method_named("PATCH"), Method::kPatch);
  EXPECT_EQ(method_named("TRACE"), Method::kTrace);
  EXPECT_EQ(method_named("QUERY"), Method::kQuery);
  EXPECT_EQ(method_named(""), Method::kOther);
}

}  // namespace
}  // namespace maas
