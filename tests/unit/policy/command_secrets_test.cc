#include "policy/command_secrets.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace plimsoll::policy {
namespace {

struct Row {
  const char* text;
  const char* shown;
};

constexpr const char* kToken = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

TEST(CommandSecrets, AreHidden) {
  const Row rows[] = {
      // assignments
      {"RUN DB_PASSWORD=hunter2 make", "RUN DB_PASSWORD=*** make"},
      {"RUN export NPM_TOKEN='two words' && npm ci", "RUN export NPM_TOKEN='***' && npm ci"},
      {R"(RUN export NPM_TOKEN="two \"words" && npm ci)",
       R"(RUN export NPM_TOKEN="***\"words" && npm ci)"},
      {"RUN make \"DB_PASSWORD=two words\" all", "RUN make \"DB_PASSWORD=***\" all"},
      {"RUN echo don't MODE=a PASSWORD=hunter2", "RUN echo don't MODE=a PASSWORD=***"},
      {"RUN echo '{\"password\": \"hunter2\"}' > c", "RUN echo '{\"password\": \"***\"}' > c"},
      {R"(CMD ["sh","-c","echo \"apiKey\":\"hunter2\""])",
       R"(CMD ["sh","-c","echo \"apiKey\":\"***\""])"},
      {"RUN $password = 'hunter2'; go", "RUN $password = '***'; go"},
      {"ENV DB_PASSWORD=correct horse A=b", "ENV DB_PASSWORD=*** A=b"},
      {"ENV DB_PASSWORD correct horse", "ENV DB_PASSWORD ***"},
      {"LABEL api-key=hunter2", "LABEL api-key=***"},
      {"ARG NPM_TOKEN=hunter2", "ARG NPM_TOKEN=***"},
      {"|2 A=1 NPM_TOKEN=two words /bin/sh -c x", "|2 A=1 NPM_TOKEN=*** /bin/sh -c x"},
      {"DB_PASSWORD=correct horse b=c 'd", "DB_PASSWORD=***"},
      // options
      {"RUN curl -u user:hunter2 https://h/", "RUN curl -u *** https://h/"},
      {"RUN curl -uuser:hunter2 https://h/", "RUN curl -u*** https://h/"},
      {"RUN curl --user=user:hunter2 h", "RUN curl --user=*** h"},
      {"RUN login --password hunter2 h", "RUN login --password *** h"},
      {"RUN login --password=hunter2 h", "RUN login --password=*** h"},
      {"RUN x --api-token \"hunter2\"", "RUN x --api-token \"***\""},
      {"RUN docker login -u me -p hunter2 h", "RUN docker login -u me -p *** h"},
      {"RUN mysql -phunter2 db", "RUN mysql -p*** db"},
      {"RUN sshpass -p hunter2 ssh h", "RUN sshpass -p *** ssh h"},
      // URLs
      {"RUN git clone https://me:hunter2@h/r.git", "RUN git clone https://***@h/r.git"},
      {"RUN git clone https://0123456789abcdef0123@h/r", "RUN git clone https://***@h/r"},
      {"ADD https://h/x?token=hunter2 /x", "ADD https://h/x?*** /x"},
      {"RUN curl 'https://h/?a=b&access_token=hunter2&c=d'",
       "RUN curl 'https://h/?a=b&access_token=***&c=d'"},
      // headers
      {"RUN curl -H \"Authorization: Bearer hunter2\" h", "RUN curl -H \"Authorization: ***\" h"},
      {"RUN curl -H 'X-Api-Key:hunter2' h", "RUN curl -H 'X-Api-Key:***' h"},
      {"RUN curl -H \"PRIVATE-TOKEN: hunter2\" h", "RUN curl -H \"PRIVATE-TOKEN: ***\" h"},
      {"RUN curl -H Authorization:\\ Basic\\ aHVudGVyMg== h && x",
       "RUN curl -H Authorization:\\ ***&& x"},
      // commands that take secrets
      {"RUN echo 'root:hunter2' | chpasswd", "RUN echo '***' | chpasswd"},
      {"RUN echo hunter2 | docker login -u me --password-stdin h",
       "RUN echo *** | docker login -u me --password-stdin h"},
      {"RUN npm config set //r.example/:_authToken hunter2",
       "RUN npm config set //r.example/:_authToken ***"},
      {"RUN aws configure set aws_secret_access_key hunter2",
       "RUN aws configure set aws_secret_access_key ***"},
      {"RUN echo \"machine h login me password hunter2\" > .netrc",
       "RUN echo \"machine h login me password ***\" > .netrc"},
      {"RUN psql -c \"ALTER ROLE a WITH PASSWORD 'hunter2'\"",
       "RUN psql -c \"ALTER ROLE a WITH PASSWORD '***'\""},
  };
  for (const Row& row : rows) EXPECT_EQ(without_command_secrets(row.text), row.shown);
}

TEST(CommandSecrets, AreHiddenByShape) {
  const std::string token = kToken;
  for (const std::string& text : {"RUN login " + token,
                                  "RUN X=" + token + " make",
                                  "RUN git clone https://h/" + token + "/r",
                                  "RUN git clone https://" + token + "@h/r",
                                  "RUN echo '" + token + "'",
                                  "CMD [\"" + token + "\"]",
                                  "RUN --header=" + token}) {
    const std::string shown = without_command_secrets(text);
    EXPECT_EQ(shown.find("0123456789"), std::string::npos) << shown;
    EXPECT_NE(shown.find("***"), std::string::npos) << shown;
  }
  const std::string key =
      "RUN echo '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz aC1rZXk\n-----END OPENSSH PRIVATE "
      "KEY-----' > k && make";
  EXPECT_EQ(without_command_secrets(key), "RUN echo '***' > k && make");
  EXPECT_EQ(without_command_secrets("RUN echo -----BEGIN PRIVATE KEY-----\nb3BlbnNz aC1r"),
            "RUN echo ***");
}

TEST(CommandSecrets, LeaveTheRestAlone) {
  for (const char* text : {
           "",
           "RUN apt-get install -y --no-install-recommends gcc=12.2 && rm -rf /var/lib/apt/lists/*",
           "RUN mkdir -p /app && chown -R 1000:1000 /app",
           "RUN docker run -u 1000:1000 x",
           "COPY --chown=secret:secret /src /app",
           "RUN --mount=type=secret,id=npm_token npm ci",
           "RUN docker build --secret id=npm .",
           "RUN curl -H \"Authorization: Bearer $TOKEN\" h",
           "RUN curl -u \"$USER:$PASS\" h",
           "RUN PASSWORD=$(cat /run/secrets/p) make",
           "RUN TOKEN=${TOKEN} make",
           "RUN DB_PASSWORD_FILE=/run/secrets/db make",
           "RUN adduser --disabled-password --gecos '' app",
           "RUN adduser --disabled-password app",
           "RUN git clone https://git@github.com/o/r",
           "RUN git clone ssh://git@github.com/o/r",
           "RUN [ \"$TOKEN\" == \"x\" ]",
           "ENV PATH=/usr/bin:/bin LANG=C.UTF-8",
           "ENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
           "ARG NPM_TOKEN",
           "RUN MAX_TOKEN_AGE=3600 make",
           "RUN apt-get install -y libsecret-1-dev pass",
           "RUN echo http://example.com:8080/a@b",
       }) {
    EXPECT_EQ(without_command_secrets(text), text);
  }
}

TEST(CommandSecrets, AreNamed) {
  const auto found = find_command_secrets(
      "RUN DB_PASSWORD=hunter2 curl -u me:hunter2 --api-token hunter2 https://a:b@h");
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].name, "DB_PASSWORD");
  EXPECT_EQ(found[0].what, "a secret by its name");
  EXPECT_EQ(found[1].name, "-u");
  EXPECT_EQ(found[1].what, "a user with a password");
  EXPECT_EQ(found[2].name, "api-token");
  EXPECT_EQ(found[3].name, "");
  EXPECT_EQ(found[3].what, "a URL with a password");
}

// Nothing that a stranger writes takes long: no part of it is looked at again and again.
TEST(CommandSecrets, HostileTextsAreReadInTime) {
  const auto begin = std::chrono::steady_clock::now();
  for (const char* piece : {"TOKEN=\"https://",
                            "a=",
                            "://",
                            "eyJ",
                            "-----BEGIN ",
                            "\"'\\",
                            "= = ",
                            "PASSWORD: ",
                            "ENV TOKEN=/a ",
                            "-u a:",
                            "PRIVATE KEY-----",
                            "a@:",
                            "$",
                            "|1 A=/bin/sh ",
                            "&&;",
                            "x "}) {
    std::string text = "RUN ";
    while (text.size() < 64 * 1024) text += piece;
    for (int i = 0; i < 8; ++i) find_command_secrets(text);
    text.replace(0, 4, "ENV ");
    for (int i = 0; i < 8; ++i) find_command_secrets(text);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace plimsoll::policy
