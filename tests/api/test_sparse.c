/* A small layer in a file with a tensor of 3 GB, which is not read. The program starts
 * itself as a process whose memory and time are measured. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <lstm/lstm.h>

#include "tests/support/folder.h"

static const char header[] =
    "{\"embedding.weight\":{\"dtype\":\"F32\",\"shape\":[3145728,256],\"data_offsets\":"
    "[0,3221225472]},\"rnn.weight_ih_l0\":{\"dtype\":\"F32\",\"shape\":[8,2],"
    "\"data_offsets\":[3221225472,3221225536]},\"rnn.weight_hh_l0\":{\"dtype\":\"F32\","
    "\"shape\":[8,2],\"data_offsets\":[3221225536,3221225600]}}";
static const off_t values_size = 3221225600;

/* Creates the file; returns false if the file system has no sparse files. */
static bool make_file(const char *path)
{
    unsigned char length[8] = {0};
    struct stat facts;
    for (size_t i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)(sizeof(header) - 1) >> 8 * i);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(file >= 0);
    bool made = write(file, length, 8) == 8 &&
                write(file, header, sizeof(header) - 1) == sizeof(header) - 1 &&
                ftruncate(file, 8 + (off_t)sizeof(header) - 1 + values_size) == 0 &&
                fstat(file, &facts) == 0;
    close(file);
    return made && facts.st_blocks * 512 < 1 << 20;
}

static double seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Loads the layer; prints the peak resident memory in kB and the processor time. */
static int child(const char *path)
{
    lstm_layer *layer;
    struct rusage usage;
    double start = seconds();
    if (lstm_layer_load(&layer, path, NULL, NULL) != LSTM_OK)
        return fprintf(stderr, "%s\n", lstm_last_error()), 1;
    double time = seconds() - start;
    lstm_layer_destroy(&layer);
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld %.6f\n", usage.ru_maxrss, time);
    return 0;
}

static void a_large_tensor_in_the_same_file_is_not_read(void **state)
{
    (void)state;
    char command[2 * TEST_PATH_SIZE + 64];
    long memory = 0;
    double time = -1;
    const char *path = test_path("large");
    if (!make_file(path)) {
        print_message("# skipped: this file system has no sparse files\n");
        return;
    }
    char self[TEST_PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    assert_true(length > 0);
    self[length] = '\0';
    snprintf(command, sizeof(command), "'%s' '%s'", self, path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%ld %lf", &memory, &time), 2);
    assert_int_equal(pclose(pipe), 0);
    print_message("# %ld kB, %.6f s\n", memory, time);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_in_range(memory, 1, 20000);
#endif
    /* Processor time, which does not depend on other programs. */
    assert_true(time >= 0 && time < 0.1);
}

int main(int count, char **arguments)
{
    if (count > 1)
        return child(arguments[1]);
    const struct CMUnitTest tests[] = {
        TEST(a_large_tensor_in_the_same_file_is_not_read),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
