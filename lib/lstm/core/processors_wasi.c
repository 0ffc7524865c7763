/* WebAssembly without threads. */
#include "lib/lstm/core/processors.h"

size_t lstm_usable_processors(const char *root)
{
    (void)root;
    return 1;
}
