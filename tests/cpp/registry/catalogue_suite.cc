// SPDX-License-Identifier: Apache-2.0
#include "registry/catalogue_suite.h"

namespace maas {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CatalogueSuite);

TEST_P(CatalogueSuite, numbers_rise_and_are_never_given_twice) {
  EXPECT_EQ(publish("a").version, 1);
  EXPECT_EQ(publish("a").version, 2);
  EXPECT_EQ(publish("b").version, 1);
  catalogue->remove("a", 2, tester(), {});
  EXPECT_EQ(publish("a").version, 3) << "the newest was deleted";
  catalogue->remove("a", 1, tester(), {});
  catalogue->remove("a", 3, tester(), {});
  EXPECT_EQ(publish("a").version, 4) << "all were deleted";
}

TEST_P(CatalogueSuite, what_throws_before_the_commit_undoes_all) {
  publish("a");
  NewVersion made;
  made.row = {.name = "a", .digest = sha256("x"), .runtime = "test"};
  EXPECT_THROW(
      catalogue->publish(made, tester(),
                         [](const auto&, const auto&) { throw Error(ErrorCode::kInternal, "no"); }),
      Error);
  EXPECT_FALSE(catalogue->version("a", 2));
  EXPECT_EQ(catalogue->verify_audit().rows, 2);
  EXPECT_EQ(publish("a").version, 2);
}

TEST_P(CatalogueSuite, an_alias_moves_only_from_where_it_is_expected) {
  publish("a");
  publish("a");
  EXPECT_EQ(move("a", 1, 0).previous, 0);
  EXPECT_EQ(code_of([&] { move("a", 2, 2); }), ErrorCode::kConflict);
  EXPECT_EQ(move("a", 2, 1).previous, 1);
  EXPECT_EQ(catalogue->model("a")->aliases.at("champion"), 2);
  EXPECT_THAT(catalogue->version("a", 2)->aliases, ElementsAre("champion"));
  EXPECT_EQ(move("a", 0).action, "remove");
  EXPECT_TRUE(catalogue->model("a")->aliases.empty());
}

TEST_P(CatalogueSuite, an_alias_is_only_at_what_may_serve) {
  publish("a", {}, VersionState::kFailed);
  EXPECT_THAT(message_of([&] { move("a", 1); }), HasSubstr("not ready: differs"));
  EXPECT_EQ(code_of([&] { move("a", 2); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { move("none", 1); }), ErrorCode::kNotFound);
  publish("a");
  catalogue->note_damage("a", 2, "a bit flipped");
  EXPECT_THAT(message_of([&] { move("a", 2); }), HasSubstr("a bit flipped"));
}

TEST_P(CatalogueSuite, rolling_back_goes_further_back_each_time) {
  for (int i = 0; i < 4; ++i) {
    publish("a");
  }
  for (const std::int64_t version : {1, 2, 3, 4}) {
    move("a", version);
  }
  EXPECT_EQ(back("a").version, 3);
  EXPECT_EQ(back("a").version, 2);
  move("a", 4);
  EXPECT_EQ(back("a").version, 2);
  catalogue->remove("a", 1, tester(), {});
  EXPECT_EQ(code_of([&] { back("a"); }), ErrorCode::kConflict) << "version 1 is gone";
  EXPECT_EQ(catalogue->model("a")->aliases.at("champion"), 2);
  const auto history = catalogue->history("a", "champion", 100);
  EXPECT_EQ(history.size(), 8U);
  EXPECT_EQ(history.front().action, "rollback");
}

TEST_P(CatalogueSuite, an_aliased_version_is_not_deleted) {
  publish("a");
  publish("a");
  move("a", 1);
  EXPECT_THAT(message_of([&] { catalogue->remove("a", 1, tester(), {}); }),
              HasSubstr("alias 'champion'"));
  move("a", 2);
  catalogue->remove("a", 1, tester(), {});
  EXPECT_EQ(catalogue->version("a", 1)->state, VersionState::kDeleted);
  EXPECT_EQ(code_of([&] { catalogue->remove("a", 1, tester(), {}); }), ErrorCode::kNotFound);
  EXPECT_EQ(catalogue->needed_blobs().size(), 1U);
}

TEST_P(CatalogueSuite, pages_follow_one_another_without_gap_or_double) {
  for (int i = 0; i < 7; ++i) {
    publish("m" + std::to_string(i % 3), {{"i", std::to_string(i)}});
  }
  std::vector<std::string> seen;
  std::string after;
  do {
    const auto page = catalogue->search({}, after, 2);
    EXPECT_LE(page.items.size(), 2U);
    for (const auto& row : page.items) {
      seen.push_back(row.name + ":" + std::to_string(row.version));
      EXPECT_EQ(row.tags.size(), 1U);
      EXPECT_EQ(row.metrics.size(), 1U);
    }
    after = page.next;
  } while (!after.empty());
  EXPECT_THAT(seen, ElementsAre("m0:1", "m0:2", "m0:3", "m1:1", "m1:2", "m2:1", "m2:2"));
  const auto models = catalogue->models("", 2);
  EXPECT_EQ(models.items.size(), 2U);
  EXPECT_EQ(models.items[0].versions, 3);
  EXPECT_EQ(models.items[0].latest, 3);
  EXPECT_EQ(catalogue->models(models.next, 2).items.size(), 1U);
  EXPECT_EQ(catalogue->models(models.next, 2).next, "");
}

TEST_P(CatalogueSuite, a_search_finds_what_its_conditions_say) {
  publish("a", {{"team", "red"}, {"env", "prod"}});
  publish("a", {{"team", "Red"}});
  publish("b", {{"team", "blue"}});
  publish("b", {}, VersionState::kFailed);
  move("a", 2);
  EXPECT_THAT(search("tags.team = 'red'"), ElementsAre("a:1"));
  EXPECT_THAT(search("tags.team ILIKE 'R%'"), ElementsAre("a:1", "a:2"));
  EXPECT_THAT(search("tags.team LIKE 'r%' AND tags.env = 'prod'"), ElementsAre("a:1"));
  EXPECT_THAT(search("tags.team != 'blue'"), ElementsAre("a:1", "a:2"));
  EXPECT_THAT(search("metrics.test.accuracy > 0.025"), ElementsAre("b:1", "b:2"));
  EXPECT_THAT(search("metrics.accuracy <= 0.02 AND name = 'a'"), ElementsAre("a:1", "a:2"));
  EXPECT_THAT(search("metrics.train.accuracy > 0"), ElementsAre());
  EXPECT_THAT(search("state = 'FAILED'"), ElementsAre("b:2"));
  EXPECT_THAT(search("alias = 'champion'"), ElementsAre("a:2"));
  EXPECT_THAT(search("name IN ('b', 'c') AND version = 1"), ElementsAre("b:1"));
  EXPECT_THAT(search("name = 'a'' OR 1=1 --'"), ElementsAre());
  catalogue->remove("b", 1, tester(), {});
  EXPECT_THAT(search("name = 'b'"), ElementsAre("b:2"));
  EXPECT_THAT(search("state = 'DELETED'"), ElementsAre("b:1"));
}

TEST_P(CatalogueSuite, tags_and_descriptions_may_change) {
  publish("a", {{"old", "1"}});
  catalogue->annotate({"a", 1, "new words", {{"k", "v"}}, {"old"}}, tester(), {});
  catalogue->annotate({"a", 0, "a model", {{"owner", "ann"}}, {}}, tester(), {});
  const auto row = catalogue->version("a", 1);
  EXPECT_EQ(row->description, "new words");
  EXPECT_EQ(row->tags, (Tags{{"k", "v"}}));
  EXPECT_EQ(catalogue->model("a")->description, "a model");
  EXPECT_EQ(catalogue->model("a")->tags, (Tags{{"owner", "ann"}}));
  catalogue->annotate({"a", 0, {}, {}, {"owner"}}, tester(), {});
  EXPECT_TRUE(catalogue->model("a")->tags.empty());
  EXPECT_EQ(code_of([&] { catalogue->annotate({"a", 9, "x", {}, {}}, tester(), {}); }),
            ErrorCode::kNotFound);
}

TEST_P(CatalogueSuite, each_change_has_its_line_in_the_audit_and_the_outbox) {
  publish("a");
  publish("a");
  move("a", 1);
  move("a", 2);
  back("a");
  catalogue->remove("a", 2, tester(), {});
  std::vector<std::string> actions;
  for (const AuditRow& row : catalogue->audit("a", 0, 100)) {
    actions.push_back(row.action);
    EXPECT_EQ(row.who, "tester");
    EXPECT_EQ(row.request_id, "r1");
  }
  EXPECT_THAT(actions, ElementsAre("create_model", "publish", "publish", "alias_set", "alias_set",
                                   "alias_rollback", "delete"));
  const AuditRow last = catalogue->audit("a", 5, 1).front();
  EXPECT_EQ(last.before, catalogue->version("a", 2)->digest);
  EXPECT_EQ(last.after, catalogue->version("a", 1)->digest);
  EXPECT_EQ(catalogue->verify_audit().problem, "");
  EXPECT_EQ(catalogue->outbox(100).size(), 7U);
}

TEST_P(CatalogueSuite, news_of_one_model_are_delivered_in_their_order) {
  publish("a");
  publish("b");
  const auto waiting = catalogue->outbox(100);
  ASSERT_EQ(waiting.size(), 4U);
  EXPECT_EQ(code_of([&] { catalogue->mark_delivered(waiting[1].id); }), ErrorCode::kConflict);
  catalogue->mark_delivered(waiting[2].id);  // of another model
  catalogue->mark_delivered(waiting[0].id);
  catalogue->mark_delivered(waiting[1].id);
  EXPECT_EQ(catalogue->outbox(100).size(), 1U);
  EXPECT_EQ(code_of([&] { catalogue->mark_delivered(99); }), ErrorCode::kNotFound);
}

TEST_P(CatalogueSuite, what_is_restored_is_there_with_its_number) {
  NewVersion made;
  made.row = {.name = "a", .version = 7, .digest = sha256("x"), .runtime = "test"};
  catalogue->restore({{.name = "a", .next_version = 9, .aliases = {{"champion", 7}}}}, {made},
                     tester());
  EXPECT_EQ(catalogue->version("a", 7)->digest, sha256("x"));
  EXPECT_EQ(catalogue->model("a")->aliases.at("champion"), 7);
  EXPECT_EQ(publish("a").version, 9);
}

TEST_P(CatalogueSuite, stamps_and_damage_are_kept) {
  publish("a");
  EXPECT_FALSE(catalogue->stamp_of(sha256("x")));
  const FileStamp stamp{~std::uint64_t{0}, 4, 5, 6};
  catalogue->remember_stamps({{sha256("x"), stamp}});
  EXPECT_EQ(catalogue->stamp_of(sha256("x")), stamp);
  catalogue->note_damage("a", 1, "zeroed");
  EXPECT_EQ(catalogue->version("a", 1)->damage, "zeroed");
  EXPECT_EQ(catalogue->self_check(), "");
  EXPECT_EQ(catalogue->blobs_of("a", 1).size(), 1U);
}

}  // namespace
}  // namespace maas
