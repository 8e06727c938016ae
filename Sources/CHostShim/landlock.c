#define _GNU_SOURCE
#include "CHostShim.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

// Declared here because the headers of older systems know fewer fields than the running kernel.
struct ruleset_attributes {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;  // since version 4
    uint64_t scoped;              // since version 6
};

struct path_beneath_attributes {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

enum { create_ruleset = 444, add_rule = 445, restrict_self = 446, version_flag = 1, rule_path_beneath = 1 };

static int result(long value) { return value < 0 ? -errno : (int)value; }

int host_shim_landlock_version(void) { return result(syscall(create_ruleset, NULL, 0, version_flag)); }

int host_shim_landlock_create(uint64_t file_rights, uint64_t network_rights, uint64_t scopes, int version) {
    struct ruleset_attributes attributes = {file_rights, network_rights, scopes};
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    return result(syscall(create_ruleset, &attributes, size, 0));
}

int host_shim_landlock_allow_beneath(int ruleset, int directory, uint64_t file_rights) {
    struct path_beneath_attributes rule = {file_rights, directory};
    return result(syscall(add_rule, ruleset, rule_path_beneath, &rule, 0));
}

int host_shim_landlock_restrict(int ruleset) { return result(syscall(restrict_self, ruleset, 0)); }
