"""Images for tests, of one static program each that waits or answers HTTP: built here in a second, without network."""
import pathlib
import subprocess

import images
from layout import Layout

SOURCE = r"""
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int number) { (void)number; _exit(0); }

static struct sockaddr_in address_of(const char *host, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

/* `get ADDRESS PORT`: prints what comes after the headers of the answer to GET /. */
static int get(const char *host, const char *port) {
  struct sockaddr_in address = address_of(host, port);
  struct timeval patience = {.tv_sec = 5};
  static char answer[65536];
  size_t length = 0;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(server, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const char request[] = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
  if (connect(server, (struct sockaddr *)&address, sizeof address) || write(server, request, sizeof request - 1) < 0) return 1;
  for (ssize_t more; (more = read(server, answer + length, sizeof answer - 1 - length)) > 0;) length += (size_t)more;
  const char *body = strstr(answer, "\r\n\r\n");
  if (body == NULL) return 1;
  fputs(body + 4, stdout);
  return 0;
}

/* `cat FILE` */
static int cat(const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return 1;
  for (int one; (one = getc(file)) != EOF;) putchar(one);
  return 0;
}

/* Answers 200 to whatever comes to $PORT; without it, or called as /pause, it waits. Ends at once when told. */
int main(int argc, char **argv) {
  signal(SIGTERM, end);
  signal(SIGINT, end);
  signal(SIGPIPE, SIG_IGN);
  const char *port = getenv("PORT");
  if (argc > 1 && strcmp(argv[1], "true") == 0) return 0;
  if (argc > 3 && strcmp(argv[1], "get") == 0) return get(argv[2], argv[3]);
  if (argc > 2 && strcmp(argv[1], "cat") == 0) return cat(argv[2]);
  if (port == NULL) for (;;) pause();
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = address_of("0.0.0.0", port);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) return 1;
  printf("listening on %s\n", port);
  fflush(stdout);
  for (;;) {
    int client = accept(listener, NULL, NULL);
    char request[4096];
    if (client < 0) continue;
    if (read(client, request, sizeof request) > 0) {
      const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
      if (write(client, answer, sizeof answer - 1) < 0) continue;
    }
    close(client);
  }
}
"""


def program(directory):
    source, made = pathlib.Path(directory, "program.c"), pathlib.Path(directory, "program")
    if not made.exists():
        source.write_text(SOURCE)
        subprocess.run(["clang-19", "-static", "-Os", "-s", "-o", made, source], check=True)
    return made.read_bytes()


def layout_of(directory, label, layers, created, config):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    layout = Layout(directory / "layout")
    steps = [images.Step("COPY program /app", {"app": program(directory)})]
    steps += [images.Step(instruction, {f"data-{number}": data}) for number, (instruction, data) in enumerate(layers)]
    steps.append(images.Step('USER "65532:65532"'))
    made = images.image(layout, steps, config={"Entrypoint": ["/app"], "User": "65532:65532", **config}, created=created or images.days_ago(1))
    layout.name(label, made)
    return layout


def archive(directory, name, layers=(), created=None, **config):
    """A docker-archive of an image with the program and further layers, each an instruction and its bytes."""
    label = name.replace("/", "-").replace(":", "-")
    layout = layout_of(directory, label, layers, created, config)
    return images.write_docker_archive(layout, label, pathlib.Path(directory, f"{label}.tar"), name)


def oci_archive(directory, label, layers=(), created=None, **config):
    """The same as an OCI archive, which says nothing of the name that the image will have."""
    layout = layout_of(directory, label, layers, created, config)
    return images.write_oci_archive(layout, label, pathlib.Path(directory, f"{label}.oci.tar"))


def big_layer(mebibytes, seed="big"):
    """For `layers`: so much that does not compress; the same bytes for the same seed."""
    return (f"COPY {seed} /data", images.noise(seed, mebibytes << 20))
