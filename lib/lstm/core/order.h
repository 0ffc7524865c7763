/**
 * @file
 * The order in which PyTorch packs sequences of different lengths.
 */
#ifndef LSTM_CORE_ORDER_H
#define LSTM_CORE_ORDER_H

#include <stddef.h>

/**
 * Writes the indices of sequences to order [count], longest first.
 *
 * Sequences of equal length have the order of torch.sort(lengths, descending=True),
 * because PyTorch draws dropout masks in this order. That sort is stable for up to 16
 * sequences only.
 */
void lstm_packed_order(const size_t *lengths, size_t *order, size_t count);

#endif
