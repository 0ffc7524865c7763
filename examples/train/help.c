#include <stdio.h>

#include "examples/train/augment.h"
#include "examples/train/help.h"
#include "examples/train/recipe.h"
#include "examples/train/schedule.h"

void help_print(void)
{
    printf(
        "\nWith --read columns, a step reads a column, with pixels a pixel, row by "
        "row, "
        "and\nwith permuted a pixel in the fixed order of torch.randperm after\n"
        "torch.manual_seed(0). With both, one LSTM reads rows, and another one with\n"
        "--column-layers reads columns; the last states of all their directions are "
        "joined.\nA model says how it reads, so --load and mnist-predict need no "
        "option.\n"
        "Over hundreds of steps, --chrono and --clip-norm help; see the recipes "
        "pixels\nand permuted.\n");
    printf(
        "\nRecipes. An option that is given beside one has its own value; to leave one "
        "out,\ngive all others without the recipe.\n\n");
    recipe_print_help();
    printf(
        "\nSchedules with their options and defaults. Times are in epochs and may be "
        "fractions.\nA warmup starts at a third of lr.\n\n");
    schedule_print_help();
    printf("\nChanges of --augment, each with its own limit X in both directions: as "
           "in\n--augment shift:2,rotate:12,scale:0.12,shear:0.2,elastic:3. They are "
           "other ones\nin each epoch, and follow from --seed.\n\n");
    augment_print_help();
    printf(
        "\nWith --ema, each step is of the last weights, as without. The average is "
        "what\n--eval and --validation test, --keep best keeps and --save saves; a "
        "checkpoint\nhas both. It is that of torch.optim.swa_utils with "
        "get_ema_multi_avg_fn(DECAY).\n"
        "\nWith --shards N, the gradient of a step is a sum over N parts of its batch, "
        "in\n"
        "a fixed order: with another N the last bits differ. --ranks divides the "
        "shards\n"
        "among processes, with the same bits for any number of them, also after\n"
        "--resume. If one of them ends, all do, after a checkpoint.\n"
        "\nWithout --data, mnist-train searches $MNIST_DIR and the cache\n"
        "($XDG_CACHE_HOME or ~/.cache), then downloads the files. If the download\n"
        "fails, it uses synthetic digits and prints a warning.\n\n"
        "Ctrl-C, SIGTERM and SIGHUP end the run after the current step and save the\n"
        "checkpoint and the model; a second signal ends it at once. Signals that are\n"
        "ignored from the start, as under nohup, stay ignored.\n\n"
        "A file of another run is not replaced without --force. --resume FILE writes\n"
        "FILE and the files that the command line names, not those that the "
        "checkpoint\n"
        "names: it prints the command line with them. --log continues the log of\n"
        "before, --tensorboard its curves. These options may change: --epochs (more\n"
        "only), --patience, --ranks, --threads, --log, --report, --tensorboard, "
        "--save,\n"
        "--no-save, --checkpoint, --checkpoint-every, --eval, --log-every, --data,\n"
        "--offline, --limit, --quiet, --no-progress, --force. All others must be\n"
        "equal, and the images and labels, wherever they are.\n\n"
        "Without --validation, each epoch is tested on the test set, to show the\n"
        "progress. Nothing is chosen by it, and neither should you: a model that was\n"
        "chosen by its test accuracy has a lower one on new images. To choose the\n"
        "number of epochs or other options, use --validation, which leaves the test\n"
        "set for the final figure.\n\n"
        "Exit status: 0 success, 1 failure, 2 invalid usage, 128 and the number of "
        "the\n"
        "signal that ended the run (130 for Ctrl-C).\n");
}
