// A provider that costs almost nothing: OpenAI's chat completions, whole or streamed, the same
// answer every time. One thread, epoll, loopback only, so that what is measured in front of it is
// the gateway and not the provider.
//
//   cc -O2 -o fake_upstream fake_upstream.c
//   ./fake_upstream PORT [LATENCY_MS] [CHUNKS]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FDS = 4096, REQUEST_BYTES = 65536, OUT_BYTES = 65536 };

typedef struct {
  char in[REQUEST_BYTES + 1];
  int in_length, waiting;
  unsigned generation;  // so that a timer of a connection that is gone finds nobody
} Connection;
typedef struct {
  uint64_t due_us;
  int fd, streamed;
  unsigned generation;
} Timer;

static Connection *connections[MAX_FDS];
// Every answer waits equally long, so the timers are a queue.
static Timer timers[MAX_FDS];
static unsigned first_timer, next_timer;
static int poller, latency_ms, chunks = 20;
static char *whole_answer;
static int whole_length;

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void drop(int fd) {
  connections[fd]->generation++;
  connections[fd]->in_length = connections[fd]->waiting = 0;
  close(fd);
}

static int write_all(int fd, const char *bytes, int length) {
  // Answers are far smaller than a socket's buffer: one that would block is from a reader that
  // does not read, and is dropped.
  if (send(fd, bytes, length, MSG_NOSIGNAL) == length) return 1;
  drop(fd);
  return 0;
}

static int write_event(int fd, const char *head, const char *data, const char *tail) {
  static char out[OUT_BYTES];
  int length = strlen(data) + 8;  // "data: " and the blank line
  int n = snprintf(out, sizeof out, "%s%x\r\ndata: %s\n\n\r\n%s", head, length, data, tail);
  return write_all(fd, out, n);
}

static void write_stream(int fd) {
  const char *head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  const char *piece =
      "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
      "\"model\":\"fake\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
      "\"content\":\" word\"},\"finish_reason\":null}]}";
  const char *last =
      "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
      "\"model\":\"fake\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],"
      "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":20,\"total_tokens\":32}}";
  // One write for each piece, as a model's server does.
  for (int i = 0; i < chunks - 1; i++)
    if (!write_event(fd, i ? "" : head, piece, "")) return;
  if (!write_event(fd, chunks > 1 ? "" : head, last, "")) return;
  write_event(fd, "", "[DONE]", "0\r\n\r\n");
}

static void reply(int fd, int streamed) {
  connections[fd]->waiting = 0;
  if (streamed)
    write_stream(fd);
  else
    write_all(fd, whole_answer, whole_length);
}

static void take_request(int fd) {
  Connection *c = connections[fd];
  c->in[c->in_length] = 0;
  char *end = strstr(c->in, "\r\n\r\n");
  if (!end) return;
  char *length = strcasestr(c->in, "\r\ncontent-length:");
  int total = end + 4 - c->in + (length && length < end ? atoi(length + 17) : 0);
  if (c->in_length < total) return;
  int streamed = strstr(end, "\"stream\":true") || strstr(end, "\"stream\": true");
  // Nobody asks twice at once: what came is one request.
  c->in_length = 0;
  c->waiting = 1;
  if (latency_ms)
    timers[next_timer++ % MAX_FDS] =
        (Timer){now_us() + latency_ms * 1000ull, fd, streamed, c->generation};
  else
    reply(fd, streamed);
}

static void take_connections(int listener) {
  int fd, on = 1;
  while ((fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
    if (fd >= MAX_FDS) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!connections[fd]) connections[fd] = calloc(1, sizeof(Connection));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

static void read_from(int fd) {
  Connection *c = connections[fd];
  int n = recv(fd, c->in + c->in_length, REQUEST_BYTES - c->in_length, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN)) {
    drop(fd);
  } else if (n > 0) {
    c->in_length += n;
    if (!c->waiting) take_request(fd);
  }
}

static int wait_ms(void) {
  if (first_timer == next_timer) return -1;
  int64_t left_us = timers[first_timer % MAX_FDS].due_us - now_us();
  return left_us <= 0 ? 0 : (left_us + 999) / 1000;
}

static void make_whole_answer(void) {
  const char *body =
      "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,"
      "\"model\":\"fake\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
      "\"content\":\"Twenty tokens of text that say nothing, like many an answer that is "
      "longer than this.\"},\"finish_reason\":\"stop\"}],"
      "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":20,\"total_tokens\":32}}";
  whole_length = asprintf(
      &whole_answer,
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
      strlen(body), body);
}

int main(int count, char **arguments) {
  if (count < 2) return fprintf(stderr, "fake_upstream PORT [LATENCY_MS] [CHUNKS]\n"), 2;
  if (count > 2) latency_ms = atoi(arguments[2]);
  if (count > 3) chunks = atoi(arguments[3]);
  signal(SIGPIPE, SIG_IGN);
  make_whole_answer();
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(atoi(arguments[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024))
    return perror("fake_upstream"), 1;
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int n = epoll_wait(poller, events, 256, wait_ms());
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener)
        take_connections(listener);
      else
        read_from(fd);
    }
    while (first_timer != next_timer && timers[first_timer % MAX_FDS].due_us <= now_us()) {
      Timer timer = timers[first_timer++ % MAX_FDS];
      if (connections[timer.fd]->generation == timer.generation) reply(timer.fd, timer.streamed);
    }
  }
}
