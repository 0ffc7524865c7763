/* A file is replaced completely or not at all, whichever operation fails. */
#include "lib/common/file.h"
#include "tests/support/faults.h"
#include "tests/support/folder.h"
#include "tests/support/memory.h"

static const char old_text[] = "the old file", new_text[] = "the new file, longer";

static const char *old_file(void)
{
    return test_write_file("file", old_text, sizeof(old_text));
}

static bool holds(const char *path, const char *text, size_t size)
{
    char found[64] = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t count = fread(found, 1, sizeof(found), file);
    fclose(file);
    return count == size && memcmp(found, text, size) == 0;
}

static int replace(const char *path)
{
    common_replacement replacement = {0};
    int error = common_replace_begin(&replacement, path);
    if (error)
        return error;
    error = common_replace_write(&replacement, new_text, 10);
    if (!error)
        error =
            common_replace_write(&replacement, new_text + 10, sizeof(new_text) - 10);
    if (!error)
        return common_replace_commit(&replacement);
    common_replace_abandon(&replacement);
    return error;
}

static void a_replaced_file_has_the_new_content_only(void **state)
{
    (void)state;
    const char *path = old_file();
    assert_int_equal(replace(path), 0);
    assert_true(holds(path, new_text, sizeof(new_text)));
    assert_int_equal(test_count_files(test_folder), 1);
    assert_int_equal(replace(test_path("other")), 0);
    assert_true(holds(test_path("other"), new_text, sizeof(new_text)));
    unlink(test_path("other"));
}

static void the_old_file_remains_if_any_operation_fails(void **state)
{
    (void)state;
    for (size_t i = 0;; i++) {
        const char *path = old_file();
        test_faults_start(i, ENOSPC);
        int error = replace(path);
        test_faults_end();
        assert_int_equal(faults.open, 0);
        if (!faults.failed) {
            assert_int_equal(error, 0);
            /* stat, open, two writes, fsync, close, rename; open, fsync, close of the
             * folder. */
            assert_int_equal(i, 10);
            break;
        }
        assert_int_equal(test_count_files(test_folder), 1);
        /* Operation 6 is the rename; after it the folder is synced. */
        bool renamed = i > 6;
        assert_int_equal(error, i == 9 ? 0 : ENOSPC);
        assert_true(holds(path, renamed ? new_text : old_text,
                          renamed ? sizeof(new_text) : sizeof(old_text)));
    }
}

static void a_folder_that_cannot_be_synced_is_not_a_failure(void **state)
{
    (void)state;
    const char *path = old_file();
    test_faults_start(8, EINVAL);
    int error = replace(path);
    test_faults_end();
    assert_string_equal(faults.failed, "fsync");
    assert_int_equal(error, 0);
    assert_true(holds(path, new_text, sizeof(new_text)));
}

static void short_and_interrupted_writes_continue(void **state)
{
    (void)state;
    const char *path = old_file();
    test_faults_start(3, EINTR);
    faults.piece = 3;
    int error = replace(path);
    test_faults_end();
    assert_string_equal(faults.failed, "write");
    assert_int_equal(error, 0);
    assert_true(holds(path, new_text, sizeof(new_text)));
}

static void only_regular_files_are_replaced(void **state)
{
    (void)state;
    struct stat facts;
    const char *pipe = test_path("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(replace(pipe), EINVAL);
    assert_int_equal(stat(pipe, &facts), 0);
    assert_true(S_ISFIFO(facts.st_mode));
    unlink(pipe);
    assert_int_equal(replace(test_folder), EISDIR);
    /* A link to a folder is not replaced; a link to nothing is. */
    const char *link = test_path("link");
    assert_int_equal(symlink(test_folder, link), 0);
    assert_int_equal(replace(link), EISDIR);
    unlink(link);
    assert_int_equal(symlink(test_path("none"), link), 0);
    assert_int_equal(replace(link), 0);
    assert_true(holds(link, new_text, sizeof(new_text)));
    unlink(link);
}

static void a_temporary_name_that_exists_is_skipped(void **state)
{
    (void)state;
    const char *path = old_file();
    char name[64];
    snprintf(name, sizeof(name), "file.%ld.0.tmp", (long)getpid());
    const char *taken = test_write_file(name, "x", 1);
    assert_int_equal(replace(path), 0);
    assert_true(holds(path, new_text, sizeof(new_text)));
    assert_true(holds(taken, "x", 1));
    unlink(taken);
}

static void an_abandoned_replacement_leaves_nothing(void **state)
{
    (void)state;
    const char *path = old_file();
    common_replacement replacement = {0};
    common_replace_abandon(&replacement);
    assert_int_equal(common_replace_begin(&replacement, path), 0);
    assert_int_equal(test_count_files(test_folder), 2);
    common_replace_abandon(&replacement);
    common_replace_abandon(&replacement);
    assert_int_equal(test_count_files(test_folder), 1);
    assert_true(holds(path, old_text, sizeof(old_text)));
}

static void without_memory_nothing_is_replaced(void **state)
{
    (void)state;
    const char *path = old_file();
    for (size_t i = 0;; i++) {
        test_memory memory;
        test_memory_limit(&memory, i);
        int error = replace(path);
        test_memory_unlimit();
        assert_int_equal(test_count_files(test_folder), 1);
        if (!error)
            break;
        assert_int_equal(error, ENOMEM);
    }
}

static void a_path_without_a_folder_is_in_the_working_folder(void **state)
{
    (void)state;
    char here[TEST_PATH_SIZE];
    assert_non_null(getcwd(here, sizeof(here)));
    const char *path = old_file();
    assert_int_equal(chdir(test_folder), 0);
    int error = replace("file");
    assert_int_equal(chdir(here), 0);
    assert_int_equal(error, 0);
    assert_true(holds(path, new_text, sizeof(new_text)));
}

static int read_all(const char *path, char *data, size_t size)
{
    common_input input;
    int error = common_input_open(&input, path);
    if (error)
        return error;
    assert_int_equal(input.size, sizeof(old_text));
    error = common_input_read_at(&input, data + 4, size - 4, 4);
    if (!error)
        error = common_input_read_at(&input, data, 4, 0);
    common_input_close(&input);
    return error;
}

static void a_file_is_read_in_pieces(void **state)
{
    (void)state;
    const char *path = old_file();
    char data[sizeof(old_text)];
    assert_int_equal(read_all(path, data, sizeof(data)), 0);
    assert_memory_equal(data, old_text, sizeof(data));
    memset(data, 0, sizeof(data));
    test_faults_start(3, EINTR);
    faults.piece = 1;
    int error = read_all(path, data, sizeof(data));
    test_faults_end();
    assert_string_equal(faults.failed, "pread");
    assert_int_equal(error, 0);
    assert_memory_equal(data, old_text, sizeof(data));
}

static void reading_reports_each_failed_operation(void **state)
{
    (void)state;
    const char *path = old_file();
    static const char *const names[] = {"open", "fstat", "pread", "pread"};
    for (size_t i = 0; i < 4; i++) {
        char data[sizeof(old_text)];
        test_faults_start(i, EIO);
        int error = read_all(path, data, sizeof(data));
        test_faults_end();
        assert_string_equal(faults.failed, names[i]);
        assert_int_equal(error, EIO);
        assert_int_equal(faults.open, 0);
    }
}

static void early_ends_and_irregular_files_have_their_own_errors(void **state)
{
    (void)state;
    const char *path = old_file();
    char data[64];
    assert_int_equal(read_all(path, data, sizeof(old_text) + 1), ENODATA);
    assert_int_equal(read_all(test_folder, data, 8), EISDIR);
    assert_int_equal(read_all("/dev/zero", data, 8), EINVAL);
    assert_int_equal(read_all(test_path("none"), data, 8), ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_replaced_file_has_the_new_content_only),
        TEST(the_old_file_remains_if_any_operation_fails),
        TEST(a_folder_that_cannot_be_synced_is_not_a_failure),
        TEST(short_and_interrupted_writes_continue),
        TEST(only_regular_files_are_replaced),
        TEST(a_temporary_name_that_exists_is_skipped),
        TEST(an_abandoned_replacement_leaves_nothing),
        TEST(without_memory_nothing_is_replaced),
        TEST(a_path_without_a_folder_is_in_the_working_folder),
        TEST(a_file_is_read_in_pieces),
        TEST(reading_reports_each_failed_operation),
        TEST(early_ends_and_irregular_files_have_their_own_errors),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
