/*
 * A cgroup has the smallest quota of its own and of all above it. /proc/self/cgroup
 * says where in the tree the process is, as HIERARCHY:CONTROLLERS:/PATH; version 2 has
 * no controllers there, version 1 a tree for cpu alone. In a container the path may be
 * one that is not mounted: what is missing has no quota, and the top is the container's
 * own.
 */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/lstm/core/processors.h"

enum { PATH_SIZE = 4096 };

/* Reads up to two numbers of a file; returns how many there were. */
static int read_numbers(const char *folder, const char *name, double *first,
                        double *second)
{
    char path[2 * PATH_SIZE + 32];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int found = fscanf(file, "%lf %lf", first, second);
    fclose(file);
    return found;
}

/* Whole processors that the quota of a folder gives, 0 without one. */
static size_t quota_of(const char *folder, bool version_1)
{
    double quota = 0, period = 0, none;
    if (!version_1)
        read_numbers(folder, "cpu.max", &quota, &period);
    else if (read_numbers(folder, "cpu.cfs_quota_us", &quota, &none) > 0)
        read_numbers(folder, "cpu.cfs_period_us", &period, &none);
    return quota > 0 && period > 0 ? (size_t)((quota + period - 1) / period) : 0;
}

/* The smallest quota from the folder of a cgroup up to the top of its tree, or least.
 */
static size_t smallest_quota(char *folder, size_t top, bool version_1, size_t least)
{
    for (;;) {
        size_t quota = quota_of(folder, version_1);
        least = quota > 0 && quota < least ? quota : least;
        if (strlen(folder) <= top)
            return least;
        char *end = strrchr(folder, '/');
        *(end > folder + top ? end : folder + top) = '\0';
    }
}

static size_t bounded_by_cgroup(const char *root, size_t count)
{
    char line[PATH_SIZE], folder[2 * PATH_SIZE];
    snprintf(folder, sizeof(folder), "%s/proc/self/cgroup", root);
    FILE *file = fopen(folder, "re");
    while (file && fgets(line, sizeof(line), file)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        controllers++;
        bool version_1 = *controllers != '\0';
        if (version_1 && strcmp(controllers, "cpu") != 0 &&
            strncmp(controllers, "cpu,", 4) != 0)
            continue;
        int top = snprintf(folder, sizeof(folder), "%s/sys/fs/cgroup%s", root,
                           version_1 ? "/cpu" : "");
        snprintf(folder + top, sizeof(folder) - (size_t)top, "%s", path);
        count = smallest_quota(folder, (size_t)top, version_1, count);
    }
    if (file)
        fclose(file);
    return count;
}

size_t lstm_usable_processors(const char *root)
{
    cpu_set_t set;
    size_t count = 1;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        count = (size_t)CPU_COUNT(&set);
    else if (sysconf(_SC_NPROCESSORS_ONLN) > 0) /* more than the set can hold */
        count = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    return bounded_by_cgroup(root, count);
}
