/*
 * The quota of a process is the smallest quota of its cgroup and of all groups above
 * it. /proc/self/cgroup has the position of the process in the tree, as
 * HIERARCHY:CONTROLLERS:/PATH. In version 2 the list of controllers is empty; version 1
 * has a separate tree for cpu. In a container the path may not be mounted. A missing
 * folder has no quota, and the root of the tree is the group of the container.
 */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/lstm/core/processors.h"

enum { PATH_SIZE = 4096 };

/* Reads up to two numbers from a file; returns how many it read. */
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

/* The quota of a folder in processors, rounded up; 0 without a quota. */
static size_t quota_of(const char *folder, bool version_1)
{
    double quota = 0, period = 0, none;
    if (!version_1)
        read_numbers(folder, "cpu.max", &quota, &period);
    else if (read_numbers(folder, "cpu.cfs_quota_us", &quota, &none) > 0)
        read_numbers(folder, "cpu.cfs_period_us", &period, &none);
    return quota > 0 && period > 0 ? (size_t)((quota + period - 1) / period) : 0;
}

/* The smallest quota from the folder of a cgroup up to the root of its tree, or least.
 */
static size_t smallest_quota(char *folder, size_t top, bool version_1, size_t least)
{
    for (;;) {
        size_t quota = quota_of(folder, version_1);
        least = quota > 0 && quota < least ? quota : least;
        if (strlen(folder) <= top)
            return least;
        *strrchr(folder, '/') = '\0';
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
        if (!path || path[1] != '/')
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
    else if (sysconf(_SC_NPROCESSORS_ONLN) >
             0) /* more processors than a cpu_set_t has */
        count = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    return bounded_by_cgroup(root, count);
}
