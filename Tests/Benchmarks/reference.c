/* The limit: the least program that does what a transfer has to do, with blocking calls and without TLS.

   send    reads files, computes their SHA-256 by libcrypto, sends both;
   receive writes them to NAME.part, computes and compares, flushes the file, renames it, and flushes each folder once
           it takes no more; then it answers one byte for the connection.

   A file on the wire, numbers as this machine has them (both ends are one machine):

     length of the name (4 bytes) | from (8) | size (8) | name | bytes [from, size) | SHA-256 of bytes [0, size) (32)

   A length of 0 ends the connection's files. `from` is not 0 where the receiver has a beginning in NAME.part: both ends
   read and hash that, and only the rest travels.

     reference send PORT FROM           names on standard input, a line each, relative to the working directory
     reference receive PORT CONNECTIONS into the working directory; ends after so many connections

   It serves measurements alone: it takes no part in what fxfer promises, and trusts its machine. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, LONGEST_NAME = 4000, DIGEST = 32 };

struct header {
    uint32_t name_length;
    uint64_t from, size;
} __attribute__((packed));

static unsigned char buffer[MIB];
static EVP_MD *sha256;
static EVP_MD_CTX *context;

static void die(const char *what, const char *which) {
    fprintf(stderr, "reference: %s '%s': %s\n", what, which, errno ? strerror(errno) : "not as expected");
    exit(1);
}

static void begin_digest(void) {
    if (EVP_DigestInit_ex(context, sha256, NULL) != 1) die("begin the digest", "SHA-256");
}

static void add_to_digest(const void *bytes, size_t count) {
    if (EVP_DigestUpdate(context, bytes, count) != 1) die("compute the digest", "SHA-256");
}

static void end_digest(unsigned char *digest) {
    if (EVP_DigestFinal_ex(context, digest, NULL) != 1) die("end the digest", "SHA-256");
}

/* Reads at most `count` bytes; 0 at the end. */
static size_t read_some(int fd, void *bytes, size_t count, const char *name) {
    ssize_t got;
    do got = read(fd, bytes, count); while (got < 0 && errno == EINTR);
    if (got < 0) die("read", name);
    return (size_t)got;
}

static void write_all(int fd, const unsigned char *bytes, size_t count, const char *name) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno != EINTR) die("write", name);
        if (written > 0) bytes += written, count -= (size_t)written;
    }
}

/* Adds the first `count` bytes of a file, which is at its beginning, to the digest. */
static void hash_beginning(int fd, uint64_t count, unsigned char *room, size_t size, const char *name) {
    while (count > 0) {
        size_t got = read_some(fd, room, count < size ? count : size, name);
        if (got == 0) die("read the beginning of", name);
        add_to_digest(room, got);
        count -= got;
    }
}

static struct sockaddr_in loopback(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* ---- send: what travels is collected in the buffer, and written when that is full. */

static size_t collected;

static void flush_buffer(int connection) {
    write_all(connection, buffer, collected, "connection");
    collected = 0;
}

static void put(int connection, const void *bytes, size_t count) {
    if (collected + count > sizeof buffer) flush_buffer(connection);
    memcpy(buffer + collected, bytes, count);
    collected += count;
}

static void send_file(int connection, const char *name, uint64_t from) {
    int file = open(name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) die("open", name);
    uint64_t size = (uint64_t)status.st_size;
    if (from > size) die("begin inside", name);
    struct header header = {(uint32_t)strlen(name), from, size};
    put(connection, &header, sizeof header);
    put(connection, name, header.name_length);
    begin_digest();
    if (from > 0) {
        flush_buffer(connection);
        hash_beginning(file, from, buffer, sizeof buffer, name);
    }
    for (uint64_t left = size - from; left > 0;) {
        if (collected == sizeof buffer) flush_buffer(connection);
        size_t room = sizeof buffer - collected;
        size_t got = read_some(file, buffer + collected, left < room ? left : room, name);
        if (got == 0) die("read all of", name);
        add_to_digest(buffer + collected, got);
        collected += got;
        left -= got;
    }
    close(file);
    unsigned char digest[DIGEST];
    end_digest(digest);
    put(connection, digest, sizeof digest);
}

static void send_files(const char *port, uint64_t from) {
    struct sockaddr_in address = loopback(port);
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect to", port);
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    static char name[LONGEST_NAME + 2];
    while (fgets(name, sizeof name, stdin) != NULL) {
        name[strcspn(name, "\n")] = 0;
        send_file(connection, name, from);
    }
    struct header end = {0};
    put(connection, &end, sizeof end);
    flush_buffer(connection);
    unsigned char answer = 0;
    if (read_some(connection, &answer, 1, "connection") != 1 || answer != 1) die("get the answer of", port);
}

/* ---- receive: the buffer holds what has come and is not used yet, from `begin` to `end`. */

static size_t begin, end;

static size_t available(int connection) {
    if (begin == end) {
        begin = 0;
        end = read_some(connection, buffer, sizeof buffer, "connection");
        if (end == 0) die("get more of", "connection");
    }
    return end - begin;
}

static void take(int connection, void *bytes, size_t count) {
    for (unsigned char *to = bytes; count > 0;) {
        size_t some = available(connection);
        if (some > count) some = count;
        memcpy(to, buffer + begin, some);
        begin += some, to += some, count -= some;
    }
}

static void flush_folder(const char *folder) {
    int fd = open(*folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) die("flush", folder);
    close(fd);
}

/* Makes the folder of `name`, and flushes the one before where that is another. */
static void enter_folder(const char *name, char *folder) {
    const char *slash = strrchr(name, '/');
    size_t length = slash ? (size_t)(slash - name) : 0;
    if (strlen(folder) == length && strncmp(folder, name, length) == 0) return;
    flush_folder(folder);
    memcpy(folder, name, length);
    folder[length] = 0;
    for (char *cut = folder; (cut = strchr(cut, '/')) != NULL; *cut++ = '/') {
        *cut = 0;
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) die("make", folder);
    }
    if (length > 0 && mkdir(folder, 0777) != 0 && errno != EEXIST) die("make", folder);
}

static void receive_file(int connection, const char *name, struct header header) {
    char staged[LONGEST_NAME + 6];
    snprintf(staged, sizeof staged, "%s.part", name);
    int file = open(staged, O_RDWR | O_CREAT | O_CLOEXEC | (header.from > 0 ? 0 : O_TRUNC), 0666);
    if (file < 0) die("open", staged);
    begin_digest();
    static unsigned char room[MIB];
    hash_beginning(file, header.from, room, sizeof room, staged);
    for (uint64_t left = header.size - header.from; left > 0;) {
        size_t some = available(connection);
        if (some > left) some = left;
        write_all(file, buffer + begin, some, staged);
        add_to_digest(buffer + begin, some);
        begin += some;
        left -= some;
    }
    unsigned char said[DIGEST], computed[DIGEST];
    take(connection, said, sizeof said);
    end_digest(computed);
    errno = 0;
    if (memcmp(said, computed, DIGEST) != 0) die("verify", name);
    if (fsync(file) != 0) die("flush", staged);
    close(file);
    if (rename(staged, name) != 0) die("rename to", name);
}

static void receive_files(int connection) {
    static char name[LONGEST_NAME + 1], folder[LONGEST_NAME + 1];
    struct header header;
    for (take(connection, &header, sizeof header); header.name_length > 0; take(connection, &header, sizeof header)) {
        errno = 0;
        if (header.name_length > LONGEST_NAME || header.from > header.size) die("understand", "header");
        take(connection, name, header.name_length);
        name[header.name_length] = 0;
        if (name[0] == '/' || strstr(name, "..") != NULL) die("accept the name", name);
        enter_folder(name, folder);
        receive_file(connection, name, header);
    }
    for (char *slash; *folder; slash ? (*slash = 0) : (*folder = 0)) {
        flush_folder(folder);
        slash = strrchr(folder, '/');
    }
    flush_folder("");
    write_all(connection, (const unsigned char *)"\1", 1, "connection");
}

static void serve(const char *port, int connections) {
    struct sockaddr_in address = loopback(port);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0)
        die("listen on", port);
    for (int each = 0; each < connections; each++) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) die("accept on", port);
        if (connections == 1) {
            receive_files(connection);
            return;
        }
        pid_t child = fork();
        if (child < 0) die("fork for", port);
        if (child == 0) {
            receive_files(connection);
            exit(0);
        }
        close(connection);
    }
    for (int status; wait(&status) > 0;)
        if (status != 0) exit(1);
}

int main(int count, char **arguments) {
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    context = EVP_MD_CTX_new();
    if (sha256 == NULL || context == NULL) die("load", "SHA-256");
    if (count == 4 && strcmp(arguments[1], "send") == 0) send_files(arguments[2], strtoull(arguments[3], NULL, 10));
    else if (count == 4 && strcmp(arguments[1], "receive") == 0) serve(arguments[2], atoi(arguments[3]));
    else die("use it with", "send PORT FROM | receive PORT CONNECTIONS");
    return 0;
}
