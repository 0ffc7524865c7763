#include "tests/support/folder.h"

#include <errno.h>
#include <ftw.h>

char test_folder[TEST_PATH_SIZE];

int test_folder_create(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(test_folder, sizeof(test_folder), "%s/lstm-test-XXXXXX",
             parent && *parent ? parent : "/tmp");
    if (mkdtemp(test_folder))
        return 0;
    print_error("cannot create %s: %s\n", test_folder, strerror(errno));
    test_folder[0] = '\0';
    return -1;
}

static int remove_one(const char *path, const struct stat *facts, int type,
                      struct FTW *position)
{
    (void)facts, (void)type, (void)position;
    return remove(path);
}

int test_folder_remove(void **state)
{
    (void)state;
    int status = nftw(test_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    test_folder[0] = '\0';
    return status;
}

const char *test_path(const char *name)
{
    static char paths[8][2 * TEST_PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % 8];
    /* Without a folder this would be a path in the root of the file system. */
    if (!test_folder[0])
        fail_msg("%s: the test's folder was not created", name);
    snprintf(path, sizeof(*paths), "%s/%s", test_folder, name);
    return path;
}

const char *test_make_folder(const char *name)
{
    const char *path = test_path(name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

const char *test_write_file(const char *name, const void *data, size_t size)
{
    const char *path = test_path(name);
    /* Some file systems sync a file that is truncated and rewritten. */
    unlink(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

size_t test_read_file(const char *name, void *data, size_t room)
{
    FILE *file = fopen(test_path(name), "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, room, file);
    fclose(file);
    assert_in_range(size, 0, room - 1);
    return size;
}

size_t test_count_files(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}
