// Callers in a closed loop: each sends its next request when it has the whole answer to the last.
// One thread, epoll, loopback only, connections kept open. Prints one JSON object.
//
//   cc -O2 -o load load.c
//   ./load -p PORT -u PATH [-c CALLERS] [-t SECONDS] [-n CALLS] [-a AUTHORIZATION] [-b BODY] [-m MARK]
//          [-s FIRST] [-w WRAP]
//
// @@@@@@@@ in path or body becomes a number of eight digits, another one for each request: from
// FIRST up, modulo WRAP.
//
// An answer is good when its status is 2xx and it contains MARK: a stream that was cut short, or
// an error inside a 200, is counted as failed. Without a body it is a GET.
#define _GNU_SOURCE
#include <arpa/inet.h>
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

enum { MAX_FDS = 4096, ANSWER_BYTES = 131072 };

typedef struct {
  char in[ANSWER_BYTES + 1];
  int length, body_at;
  long body_length;  // -1: chunked
  uint64_t sent_us, first_us;
} Caller;
typedef struct {
  double *values;
  long count, room;
} Series;

static Caller *callers[MAX_FDS];
static Series totals, firsts;
static char *request, *mark = "", wrong[300];
static int port, poller, places;
static char *place[8];
static long numbered, wrap;
static long good, unavailable, failed;

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void add(Series *series, double value) {
  if (series->count == series->room) {
    series->room = series->room ? series->room * 2 : 65536;
    series->values = realloc(series->values, series->room * sizeof(double));
  }
  series->values[series->count++] = value;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double percentile_ms(const Series *sorted, double share) {
  return sorted->count ? sorted->values[(long)(share * (sorted->count - 1))] / 1000 : 0;
}

static void ask(int fd) {
  Caller *c = callers[fd];
  c->length = c->body_at = 0;
  c->first_us = 0;
  c->sent_us = now_us();
  char digits[9];
  snprintf(digits, sizeof digits, "%08ld", wrap ? numbered++ % wrap : numbered++ % 100000000);
  for (int i = 0; i < places; i++) memcpy(place[i], digits, 8);
  if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) failed++;
}

static void open_caller(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd >= MAX_FDS || connect(fd, (void *)&address, sizeof address)) {
    perror("load");
    exit(1);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!callers[fd]) callers[fd] = malloc(sizeof(Caller));
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  ask(fd);
}

static void find_body(Caller *c) {
  char *end = strstr(c->in, "\r\n\r\n");
  if (!end) return;
  char *length = strcasestr(c->in, "\r\ncontent-length:");
  c->body_at = end + 4 - c->in;
  c->body_length = length && length < end ? atol(length + 17) : -1;
}

static int is_whole(const Caller *c) {
  if (c->body_length >= 0) return c->length - c->body_at >= c->body_length;
  return c->length - c->body_at >= 5 && !memcmp(c->in + c->length - 5, "0\r\n\r\n", 5);
}

static void judge(Caller *c) {
  int status = atoi(c->in + 9);
  if (status / 100 == 2 && strstr(c->in + c->body_at, mark)) {
    good++;
    add(&totals, now_us() - c->sent_us);
    add(&firsts, c->first_us - c->sent_us);
  } else if (status == 503) {
    unavailable++;
  } else {
    if (!failed++) snprintf(wrong, sizeof wrong, "%.299s", c->in);
  }
}

static void read_from(int fd) {
  Caller *c = callers[fd];
  int n = c->length < ANSWER_BYTES ? recv(fd, c->in + c->length, ANSWER_BYTES - c->length, 0) : 0;
  if (n <= 0) {
    failed++;
    close(fd);
    open_caller();
    return;
  }
  c->length += n;
  c->in[c->length] = 0;
  if (!c->body_at) find_body(c);
  if (!c->body_at) return;
  if (!c->first_us && c->length > c->body_at) c->first_us = now_us();
  if (!is_whole(c)) return;
  judge(c);
  ask(fd);
}

static void print_as_json(double seconds) {
  qsort(totals.values, totals.count, sizeof(double), ascending);
  qsort(firsts.values, firsts.count, sizeof(double), ascending);
  printf("{\"seconds\": %.3f, \"calls\": %ld, \"unavailable\": %ld, \"failed\": %ld, ", seconds,
         good, unavailable, failed);
  printf("\"calls_per_s\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, ",
         good / seconds, percentile_ms(&totals, 0.5), percentile_ms(&totals, 0.99),
         percentile_ms(&totals, 1));
  printf("\"first_p50_ms\": %.3f, \"first_p99_ms\": %.3f}\n", percentile_ms(&firsts, 0.5),
         percentile_ms(&firsts, 0.99));
  if (*wrong) fprintf(stderr, "first wrong answer: %s\n", wrong);
}

int main(int count, char **arguments) {
  int option, number = 1;
  long calls = 0;
  double seconds = 5;
  const char *path = "/", *authorization = "", *body = "";
  while ((option = getopt(count, arguments, "p:u:c:t:n:a:b:m:s:w:")) > 0) {
    if (option == 'p') port = atoi(optarg);
    if (option == 'u') path = optarg;
    if (option == 'c') number = atoi(optarg);
    if (option == 't') seconds = atof(optarg);
    if (option == 'n') calls = atol(optarg);
    if (option == 'a') authorization = optarg;
    if (option == 'b') body = optarg;
    if (option == 'm') mark = optarg;
    if (option == 's') numbered = atol(optarg);
    if (option == 'w') wrap = atol(optarg);
  }
  signal(SIGPIPE, SIG_IGN);
  if (asprintf(&request,
               "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: %s\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
               *body ? "POST" : "GET", path, port, authorization, strlen(body), body) < 0)
    return 1;
  for (char *at = request; places < 8 && (at = strstr(at, "@@@@@@@@")); at += 8)
    place[places++] = at;
  poller = epoll_create1(0);
  uint64_t began_us = now_us(), ends_us = began_us + seconds * 1e6;
  for (int i = 0; i < number; i++) open_caller();
  struct epoll_event events[256];
  while (now_us() < ends_us && (!calls || good + unavailable + failed < calls)) {
    int n = epoll_wait(poller, events, 256, 50);
    for (int i = 0; i < n; i++) read_from(events[i].data.fd);
  }
  print_as_json((now_us() - began_us) / 1e6);
}
