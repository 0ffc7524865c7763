/**
 * @file
 * States of a stream in safetensors files: h [L, S] and c [L, H].
 */
#ifndef EXAMPLES_STREAM_STATES_H
#define EXAMPLES_STREAM_STATES_H

#include <stdbool.h>

#include <lstm/lstm.h>

/** Key of the fingerprint of the model in a file of states. */
#define STATES_MODEL_KEY "stream.model"

/** Describes a tensor of a file; false if the file does not have it. */
bool states_find(const lstm_file *file, const char *name, lstm_tensor_info *info);

/** Sets the states of a stream of one sequence from a file; NULL as a name sets zeros.
 *  False after an error message that names the path, with the states unchanged: a
 *  tensor is missing, has another shape or values that are not finite. */
bool states_read(lstm_stream *stream, const lstm_layer *layer, lstm_file *file,
                 const char *path, const char *h_name, const char *c_name);

/** Whether states may be saved to a path: it has no file, or one of states_save() with
 *  the same names. False after an error message. */
bool states_may_save(const char *path, const char *h_name, const char *c_name);

/** Saves the states with the fingerprint of their model as metadata "stream.model", and
 *  unless NULL the value of the step before as "stream.before"; false after an error
 *  message. */
bool states_save(const lstm_stream *stream, const lstm_layer *layer, const char *path,
                 const char *h_name, const char *c_name, const char *fingerprint,
                 const double *before);

#endif
