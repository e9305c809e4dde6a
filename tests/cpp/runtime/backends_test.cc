// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/backends.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

namespace maas {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class LoadModelTest : public ::testing::Test {
 protected:
  LoadModelTest() {
    std::string name = (fs::temp_directory_path() / "maas-load-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~LoadModelTest() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string file(const std::string& name) const {
    return (folder_ / name).string();
  }
  [[nodiscard]] std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    return file(name);
  }

  fs::path folder_;
};

// Loads what cannot be loaded; it must fail fast and name the file.
Error refusal(const std::string& path) {
  const auto start = std::chrono::steady_clock::now();
  try {
    (void)load_model({path, std::nullopt});
  } catch (const Error& error) {
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
    EXPECT_THAT(error.message(), HasSubstr("'" + path + "'"));
    EXPECT_EQ(error.message().find('\n'), std::string::npos);
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

TEST_F(LoadModelTest, a_missing_file_is_not_found) {
  const Error error = refusal(file("absent.pt"));
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("does not exist"), HasSubstr("check the path")));
  EXPECT_EQ(refusal("no/such/folder/m.pt").code(), ErrorCode::kNotFound);
}

TEST_F(LoadModelTest, an_unknown_suffix_is_refused_with_those_there_are) {
  for (const char* name : {"model.onnx", "model", "model.PT", "model.pt.bak", ".pt"}) {
    const Error error = refusal(write(name, "PK\3\4"));
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << name;
    EXPECT_THAT(error.message(), HasSubstr("ends in .pt, .pth or .ts")) << name;
  }
}

TEST_F(LoadModelTest, a_folder_or_a_pipe_is_no_file) {
  fs::create_directory(file("folder.pt"));
  ASSERT_EQ(::mkfifo(file("pipe.pt").c_str(), 0600), 0);  // opening it would wait for ever
  for (const char* name : {"folder.pt", "pipe.pt"}) {
    const Error error = refusal(file(name));
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("is not a file"), HasSubstr("TorchScript file")));
  }
}

TEST_F(LoadModelTest, what_is_no_archive_is_refused_with_the_remedy) {
  for (const std::string& content : {std::string(), std::string("P"), std::string("PK"),
                                     std::string("not a model at all"), std::string(100, '\0')}) {
    for (const char* name : {"m.pt", "m.pth", "m.ts"}) {
      const Error error = refusal(write(name, content));
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.message(),
                  AllOf(HasSubstr("TorchScript archive"), HasSubstr("torch.jit.save")));
    }
  }
}

}  // namespace
}  // namespace maas
