#include <math.h>
#include <stdio.h>

#include <lstm/lstm.h>

#include "examples/common/finite.h"

bool finite_check(const lstm_params *params, const char *path, char *why, size_t size)
{
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        const lstm_tensor *value = lstm_params_value(params, i);
        const float *data = lstm_tensor_data(value);
        size_t count = 1;
        for (size_t axis = 0; axis < lstm_tensor_rank(value); axis++)
            count *= lstm_tensor_extent(value, axis);
        for (size_t k = 0; k < count; k++)
            if (!isfinite(data[k])) {
                snprintf(why, size, "%s: %s has the value %g, expected finite numbers",
                         path, lstm_params_name(params, i), (double)data[k]);
                return false;
            }
    }
    return true;
}
