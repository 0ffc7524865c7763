/* A file is replaced completely or not at all, whichever operation fails. */
#include "lib/common/file.h"
#include "tests/support/faults.h"
#include "tests/support/folder.h"
#include "tests/support/memory.h"
#include "tests/support/replace.h"

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

/* The result of a replacement in which an operation failed. */
static int expected_error(const char *failed, bool renamed, int error)
{
    if (test_fault_is_optional(failed))
        return 0;
    if (strcmp(failed, "write") == 0 && error == EINTR)
        return 0;
    /* After the rename only the sync of the folder can fail. */
    if (!renamed)
        return error;
    bool unreadable = strcmp(failed, "open") == 0 && error == EACCES;
    return unreadable || strcmp(failed, "close") == 0 ? 0 : error;
}

/* Replaces the file at path with each operation failing once; returns their number. */
static size_t fail_each_operation(const char *path, int code)
{
    for (size_t i = 0;; i++) {
        assert_int_equal(chmod(old_file(), 0640), 0);
        test_faults_start(i, code);
        int error = replace(path);
        test_faults_end();
        assert_int_equal(faults.open, 0);
        if (!faults.failed) {
            assert_int_equal(error, 0);
            return i;
        }
        int expected = expected_error(faults.failed, faults.renamed, code);
        assert_int_equal(error, expected);
        bool replaced = faults.renamed || !expected;
        assert_true(holds(path, replaced ? new_text : old_text,
                          replaced ? sizeof(new_text) : sizeof(old_text)));
    }
}

static void the_old_file_remains_if_any_operation_fails(void **state)
{
    (void)state;
    static const int codes[] = {ENOSPC, EIO, EACCES, EPERM, EMFILE, EROFS, EINTR};
    size_t points = 0;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        char link[2 * TEST_PATH_SIZE];
        const char *path = old_file();
        snprintf(link, sizeof(link), "%s", test_path("link"));
        points += fail_each_operation(path, codes[i]);
        assert_int_equal(test_count_files(test_folder), 1);
        assert_int_equal(symlink("file", link), 0);
        points += fail_each_operation(link, codes[i]);
        assert_int_equal(test_count_files(test_folder), 2);
        unlink(link);
    }
    print_message("# %zu failed operations\n", points);
}

/* The number of the operation of this name, the n-th of them. */
static size_t number_of(const char *name, size_t n)
{
    for (size_t i = 0;; i++) {
        old_file();
        test_faults_start(i, EIO);
        (void)replace(test_path("file"));
        test_faults_end();
        assert_non_null(faults.failed);
        if (strcmp(faults.failed, name) == 0 && n-- == 0)
            return i;
    }
}

static void a_folder_that_cannot_be_synced_is_not_a_failure(void **state)
{
    (void)state;
    size_t sync = number_of("fsync", 1);
    const char *path = old_file();
    test_faults_start(sync, EINVAL);
    int error = replace(path);
    test_faults_end();
    assert_string_equal(faults.failed, "fsync");
    assert_int_equal(error, 0);
    assert_true(holds(path, new_text, sizeof(new_text)));
}

static void short_and_interrupted_writes_continue(void **state)
{
    (void)state;
    size_t write = number_of("write", 0);
    const char *path = old_file();
    test_faults_start(write, EINTR);
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
    assert_int_equal(replace("/dev/null"), EINVAL);
    assert_int_equal(replace(""), ENOENT);
    assert_int_equal(replace(test_path("none/")), EISDIR);
    assert_int_equal(replace(test_path("none/file")), ENOENT);
    assert_int_equal(replace(test_path("file/file")), ENOTDIR);
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
    int error = replace("file"), short_name = replace("f"), nothing = replace("");
    assert_int_equal(chdir(here), 0);
    assert_int_equal(error, 0);
    assert_int_equal(short_name, 0);
    assert_int_equal(nothing, ENOENT);
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

static ssize_t write_nothing_after_a_signal(int file, const void *data, size_t size)
{
    (void)file, (void)data, (void)size;
    errno = EINTR;
    return 0;
}

/* The errno of an earlier call says nothing about a count of 0. */
static void a_write_of_nothing_is_an_error(void **state)
{
    (void)state;
    const char *path = old_file();
    common_file_calls calls = *common_file_get_calls();
    calls.write = write_nothing_after_a_signal;
    test_file_set_calls(&calls);
    assert_int_equal(replace(path), EIO);
    test_file_set_calls(NULL);
    assert_true(holds(path, old_text, sizeof(old_text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_replaced_file_has_the_new_content_only),
        TEST(the_old_file_remains_if_any_operation_fails),
        TEST(a_folder_that_cannot_be_synced_is_not_a_failure),
        TEST(short_and_interrupted_writes_continue),
        TEST(only_regular_files_are_replaced),

        TEST(an_abandoned_replacement_leaves_nothing),
        TEST(without_memory_nothing_is_replaced),
        TEST(a_path_without_a_folder_is_in_the_working_folder),
        TEST(a_file_is_read_in_pieces),
        TEST(reading_reports_each_failed_operation),
        TEST(early_ends_and_irregular_files_have_their_own_errors),
        TEST(a_write_of_nothing_is_an_error),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
