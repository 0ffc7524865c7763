#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#include <lstm/lstm.h>

#include "tests/bench/limits.h"
#include "tests/verify/facts.h"

enum { SIZE = 512 };

static void system_name(char *text)
{
    struct utsname name;
    if (uname(&name))
        snprintf(text, SIZE, "%s", strerror(errno));
    else
        snprintf(text, SIZE, "%s %s %s %s", name.sysname, name.release, name.version,
                 name.machine);
}

static void libc_name(char *text)
{
#if defined(__GLIBC__)
    snprintf(text, SIZE, "glibc %s", gnu_get_libc_version());
#else
    snprintf(text, SIZE, "not glibc");
#endif
}

static const char *compiler(void)
{
#if defined(__clang__)
    return __VERSION__;
#else
    return "gcc " __VERSION__;
#endif
}

/* The file that has the code of the library. */
static void library_path(char *text)
{
    Dl_info info;
    bool known = dladdr((void *)(uintptr_t)lstm_version, &info) && info.dli_fname;
    char *path = known ? realpath(info.dli_fname, NULL) : NULL;
    snprintf(text, SIZE, "%s", path ? path : known ? info.dli_fname : "not known");
    free(path);
}

/* The type of a folder's file system: its number, and the name of common ones. */
static void file_system(const char *folder, char *text)
{
    static const struct {
        unsigned long type;
        const char *name;
    } types[] = {
        {0xef53, "ext4"},      {0x58465342, "xfs"},     {0x9123683e, "btrfs"},
        {0x01021994, "tmpfs"}, {0x794c7630, "overlay"}, {0x2fc12fc1, "zfs"},
        {0x6969, "nfs"},       {0xff534d42, "cifs"},    {0xfe534d42, "smb2"},
        {0x65735546, "fuse"},  {0x01021997, "9p"},      {0x4d44, "vfat"},
        {0xf2f52010, "f2fs"},  {0x9fa0, "proc"},        {0x61756673, "aufs"},
        {0x2011bab0, "exfat"}, {0x858458f6, "ramfs"},   {0x73717368, "squashfs"},
        {0x00c36400, "ceph"},  {0x0bd00bd0, "lustre"},
    };
    struct statfs status;
    if (statfs(folder, &status)) {
        snprintf(text, SIZE, "%s", strerror(errno));
        return;
    }
    unsigned long type = (unsigned long)status.f_type & 0xffffffffu;
    const char *name = "other";
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].type == type)
            name = types[i].name;
    snprintf(text, SIZE, "%s (0x%lx)", name, type);
}

void facts_add(const table *t, const char *kernels, const char *folder)
{
    static const char *const variables[] = {"LSTM_CPU", "LSTM_REPRODUCIBLE",
                                            "LSTM_NUM_THREADS", "LSTM_SHAKE"};
    char text[SIZE];
    table_fact(t, "liblstm", lstm_version());
    library_path(text);
    table_fact(t, "library", text);
    table_fact(t, "compiler", compiler());
    table_fact(t, "options", VERIFY_OPTIONS);
    system_name(text);
    table_fact(t, "system", text);
    libc_name(text);
    table_fact(t, "C library", text);
    table_fact(t, "processor", machine_name());
    table_number(t, "processors", machine_processors());
    table_fact(t, "kernels", kernels);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        if (getenv(variables[i]))
            table_fact(t, variables[i], getenv(variables[i]));
    table_fact(t, "folder", folder);
    file_system(folder, text);
    table_fact(t, "file system", text);
}
