// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/manifest.h"

#include "registry/fixture.h"

namespace maas {
namespace {

Manifest example() {
  Manifest made;
  made.files = {{"model.pt", {sha256("a"), 1}}, {"sub/labels.txt", {sha256("b"), 2}}};
  made.runtime = "pytorch_torchscript";
  made.author = "ann";
  made.created_ms = 5;
  made.tags = {{"team", "a"}};
  made.metrics = {{"test", "accuracy", 0.25}};
  made.signature = R"({"inputs":[{"name":"x","dtype":"float32","shape":[4]}]})";
  made.lineage = R"({"steps":["quantised"]})";
  made.sample = BlobRef{sha256("c"), 3};
  return made;
}

TEST(Manifest, comes_back_from_its_text_and_has_one_text) {
  const std::string text = example().to_json();
  const Manifest read = Manifest::parse(text);
  EXPECT_EQ(read.to_json(), text);
  EXPECT_EQ(read.files[1].path, "sub/labels.txt");
  EXPECT_EQ(read.metrics[0].value, 0.25);
  EXPECT_EQ(read.needed().size(), 3U);
}

TEST(Manifest, no_path_leads_out_of_the_version) {
  for (const char* wrong : {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a\\b"}) {
    Manifest made = example();
    made.files[0].path = wrong;
    EXPECT_EQ(code_of([&] { (void)Manifest::parse(made.to_json()); }), ErrorCode::kInvalidArgument)
        << wrong;
  }
}

TEST(Manifest, what_cannot_be_kept_is_refused) {
  Manifest twice = example();
  twice.files[1].path = "model.pt";
  EXPECT_THAT(message_of([&] { (void)Manifest::parse(twice.to_json()); }),
              testing::HasSubstr("two files are called"));
  Manifest none = example();
  none.files.clear();
  EXPECT_EQ(code_of([&] { (void)Manifest::parse(none.to_json()); }), ErrorCode::kInvalidArgument);
  Manifest digest = example();
  digest.files[0].blob.digest = "abc";
  EXPECT_EQ(code_of([&] { (void)Manifest::parse(digest.to_json()); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([] { (void)Manifest::parse(R"({"format": 2})"); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([] { check_tag(std::string(251, 'k'), ""); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace maas
