/**
 * @file
 * The order in which PyTorch packs sequences of different lengths.
 */
#ifndef LSTM_CORE_ORDER_H
#define LSTM_CORE_ORDER_H

#include <stddef.h>

/**
 * Writes the numbers of sequences into order [count], longest first.
 *
 * Ties stand as torch.sort(lengths, descending=True) leaves them, since masks of
 * dropout are drawn in this order: as they come up to 16 sequences, not above.
 */
void lstm_packed_order(const size_t *lengths, size_t *order, size_t count);

#endif
