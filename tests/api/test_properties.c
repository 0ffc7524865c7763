/* Properties of the results of a layer, most of them exact to the bit. */
#include "tests/support/draw.h"
#include "tests/support/layer_case.h"
#include "tests/support/test.h"

static void copy(lstm_tensor *to, const lstm_tensor *from)
{
    assert_int_equal(lstm_tensor_copy(to, from), LSTM_OK);
}

static void copy_weights(layer_case *to, const layer_case *from)
{
    for (size_t k = 0; k < lstm_params_size(to->params); k++)
        copy(lstm_params_value(to->params, k), lstm_params_value(from->params, k));
}

/* Copies count indices of an axis from one tensor to another. */
static void copy_range(lstm_tensor *to, size_t to_start, const lstm_tensor *from,
                       size_t from_start, size_t axis, size_t count)
{
    lstm_tensor *a, *b;
    assert_int_equal(lstm_tensor_narrow(&a, to, axis, to_start, count), LSTM_OK);
    assert_int_equal(lstm_tensor_narrow(&b, from, axis, from_start, count), LSTM_OK);
    copy(a, b);
    lstm_tensor_destroy(&a);
    lstm_tensor_destroy(&b);
}

/* Fails unless a range of an axis of a has the same bits as one of b. */
static void assert_same_range(const lstm_tensor *a, size_t a_start,
                              const lstm_tensor *b, size_t b_start, size_t axis,
                              size_t count)
{
    size_t shape[3];
    for (size_t k = 0; k < 3; k++)
        shape[k] = k == axis ? count : lstm_tensor_extent(b, k);
    lstm_tensor *x = layer_case_tensor(shape[0], shape[1], shape[2]);
    lstm_tensor *y = layer_case_tensor(shape[0], shape[1], shape[2]);
    copy_range(x, 0, a, a_start, axis, count);
    copy_range(y, 0, b, b_start, axis, count);
    assert_same_bits(x, y);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
}

static size_t batch_axis(const layer_case *c)
{
    return c->options.config.batch_first ? 0 : 1;
}

static size_t time_axis(const layer_case *c)
{
    return c->options.config.batch_first ? 1 : 0;
}

static void assert_near_gradients(const layer_case *a, const layer_case *b)
{
    double tolerance = 2 * layer_case_tolerance(&a->options);
    for (size_t k = 0; k < lstm_params_size(a->params); k++) {
        const lstm_tensor *x = lstm_params_grad(a->params, k);
        const lstm_tensor *y = lstm_params_grad(b->params, k);
        for (size_t i = 0; i < lstm_tensor_count(x); i++) {
            double expected = (double)lstm_tensor_data(x)[i];
            assert_close(lstm_tensor_data(y)[i], expected,
                         tolerance * fmax(1, fabs(expected)) *
                             (double)a->options.batch);
        }
    }
}

static void permuting_the_batch_permutes_the_results_bit_for_bit(void **state)
{
    (void)state;
    layer_case *a;
    for (size_t i = 0; (a = layer_case_spread(i, 1)); i++) {
        layer_case *b = layer_case_spread(i, 1);
        size_t batch = a->options.batch, axis = batch_axis(a),
               order[LAYER_CASE_MAX_BATCH];
        uint64_t seed = 2;
        for (size_t n = 0; n < batch; n++) {
            size_t other = draw_size(&seed, 0, n);
            order[n] = order[other];
            order[other] = n;
        }
        for (size_t n = 0; n < batch; n++) {
            copy_range(b->x, n, a->x, order[n], axis, 1);
            copy_range(b->dout, n, a->dout, order[n], axis, 1);
            copy_range(b->h0, n, a->h0, order[n], 1, 1);
            copy_range(b->c0, n, a->c0, order[n], 1, 1);
            copy_range(b->dhn, n, a->dhn, order[n], 1, 1);
            copy_range(b->dcn, n, a->dcn, order[n], 1, 1);
        }
        layer_case_run(a);
        layer_case_run(b);
        for (size_t n = 0; n < batch; n++) {
            assert_same_range(b->out, n, a->out, order[n], axis, 1);
            assert_same_range(b->dx, n, a->dx, order[n], axis, 1);
            assert_same_range(b->hn, n, a->hn, order[n], 1, 1);
            assert_same_range(b->cn, n, a->cn, order[n], 1, 1);
            assert_same_range(b->dh0, n, a->dh0, order[n], 1, 1);
            assert_same_range(b->dc0, n, a->dc0, order[n], 1, 1);
        }
        assert_near_gradients(a, b);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

static void a_sequence_in_two_parts_gives_the_bits_of_one_run(void **state)
{
    (void)state;
    layer_case *whole;
    for (size_t i = 0; (whole = layer_case_spread(i, 3)); i++) {
        size_t steps = whole->options.steps, axis = time_axis(whole);
        for (size_t first = 1; first < steps && !whole->options.config.bidirectional;
             first++) {
            assert_int_equal(layer_case_forward(whole), LSTM_OK);
            size_t start[] = {0, first, steps};
            lstm_tensor *h = layer_case_tensor(lstm_tensor_extent(whole->h0, 0),
                                               lstm_tensor_extent(whole->h0, 1),
                                               lstm_tensor_extent(whole->h0, 2));
            lstm_tensor *c = layer_case_tensor(lstm_tensor_extent(whole->c0, 0),
                                               lstm_tensor_extent(whole->c0, 1),
                                               lstm_tensor_extent(whole->c0, 2));
            copy(h, whole->h0);
            copy(c, whole->c0);
            for (size_t part = 0; part < 2; part++) {
                layer_options options = whole->options;
                options.steps = start[part + 1] - start[part];
                layer_case *p = layer_case_create(&options);
                copy_range(p->x, 0, whole->x, start[part], axis, options.steps);
                copy_weights(p, whole);
                assert_int_equal(
                    lstm_layer_forward(p->layer, NULL, p->x, NULL, h, c, p->out, h, c),
                    LSTM_OK);
                assert_same_range(p->out, 0, whole->out, start[part], axis,
                                  options.steps);
                layer_case_destroy(p);
            }
            assert_same_bits(h, whole->hn);
            assert_same_bits(c, whole->cn);
            lstm_tensor_destroy(&h);
            lstm_tensor_destroy(&c);
        }
        layer_case_destroy(whole);
    }
}

/* Runs sequence n of a batch with lengths alone. Its outputs and gradients equal those
 * of the batch, which has zeros past its end. */
static void compare_with_sequence(const layer_case *batch, size_t n, size_t length)
{
    layer_options options = batch->options;
    options.steps = length;
    options.batch = 1;
    options.lengths = NULL;
    layer_case *one = layer_case_create(&options);
    copy_weights(one, batch);
    lstm_tensor *row, *range;
    const lstm_tensor *from[] = {batch->x, batch->dout};
    lstm_tensor *to[] = {one->x, one->dout};
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(lstm_tensor_narrow(&row, from[k], batch_axis(batch), n, 1), 0);
        assert_int_equal(lstm_tensor_narrow(&range, row, time_axis(batch), 0, length),
                         LSTM_OK);
        copy(to[k], range);
        lstm_tensor_destroy(&range);
        lstm_tensor_destroy(&row);
    }
    copy_range(one->h0, 0, batch->h0, n, 1, 1);
    copy_range(one->c0, 0, batch->c0, n, 1, 1);
    copy_range(one->dhn, 0, batch->dhn, n, 1, 1);
    copy_range(one->dcn, 0, batch->dcn, n, 1, 1);
    layer_case_run(one);
    assert_same_range(batch->hn, n, one->hn, 0, 1, 1);
    assert_same_range(batch->cn, n, one->cn, 0, 1, 1);
    assert_same_range(batch->dh0, n, one->dh0, 0, 1, 1);
    assert_same_range(batch->dc0, n, one->dc0, 0, 1, 1);
    const lstm_tensor *padded[] = {batch->out, batch->dx}, *own[] = {one->out, one->dx};
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(lstm_tensor_narrow(&row, padded[k], batch_axis(batch), n, 1),
                         LSTM_OK);
        assert_same_range(row, 0, own[k], 0, time_axis(batch), length);
        for (size_t t = length; t < batch->options.steps; t++) {
            assert_int_equal(lstm_tensor_narrow(&range, row, time_axis(batch), t, 1),
                             LSTM_OK);
            for (size_t i = 0; i < lstm_tensor_extent(range, 2); i++)
                assert_true(lstm_tensor_data(range)[i] == 0);
            lstm_tensor_destroy(&range);
        }
        lstm_tensor_destroy(&row);
    }
    layer_case_destroy(one);
}

/* Sets lengths from 1 to all steps, one for each sequence. */
static void draw_lengths(layer_case *c, size_t *lengths, uint64_t seed)
{
    for (size_t n = 0; n < c->options.batch; n++)
        lengths[n] = draw_size(&seed, 1, c->options.steps);
    c->options.lengths = lengths;
}

static void a_batch_with_lengths_equals_its_sequences_one_by_one(void **state)
{
    (void)state;
    layer_case *c;
    for (size_t i = 0; (c = layer_case_spread(i, 4)); i++) {
        size_t lengths[LAYER_CASE_MAX_BATCH];
        draw_lengths(c, lengths, i);
        layer_case_run(c);
        for (size_t n = 0; n < c->options.batch; n++)
            compare_with_sequence(c, n, lengths[n]);
        layer_case_destroy(c);
    }
}

static void padding_does_not_matter_even_when_it_is_nan(void **state)
{
    (void)state;
    layer_case *c;
    for (size_t i = 0; (c = layer_case_spread(i, 5)); i++) {
        size_t lengths[LAYER_CASE_MAX_BATCH];
        draw_lengths(c, lengths, i);
        layer_case_run(c);
        uint64_t hash = layer_case_hash(c);
        lstm_tensor *padded[] = {c->x, c->dout};
        for (size_t k = 0; k < 2; k++)
            for (size_t n = 0; n < c->options.batch; n++)
                for (size_t t = lengths[n]; t < c->options.steps; t++) {
                    lstm_tensor *row, *cell;
                    assert_int_equal(
                        lstm_tensor_select(&row, padded[k], batch_axis(c), n), LSTM_OK);
                    assert_int_equal(lstm_tensor_select(&cell, row, 0, t), LSTM_OK);
                    assert_int_equal(lstm_tensor_fill(cell, NAN), LSTM_OK);
                    lstm_tensor_destroy(&cell);
                    lstm_tensor_destroy(&row);
                }
        layer_case_run(c);
        assert_true(layer_case_hash(c) == hash);
        layer_case_destroy(c);
    }
}

static void lengths_of_all_steps_do_not_change_results(void **state)
{
    (void)state;
    layer_case *c;
    for (size_t i = 0; (c = layer_case_spread(i, 6)); i++) {
        layer_case_run(c);
        uint64_t hash = layer_case_hash(c);
        size_t lengths[LAYER_CASE_MAX_BATCH];
        for (size_t n = 0; n < c->options.batch; n++)
            lengths[n] = c->options.steps;
        c->options.lengths = lengths;
        layer_case_run(c);
        assert_true(layer_case_hash(c) == hash);
        layer_case_destroy(c);
    }
}

/* One direction of a bidirectional layer alone: steps in the order of that direction.
 */
static void compare_with_direction(const layer_case *both, size_t direction)
{
    layer_options options = both->options;
    options.config.bidirectional = false;
    layer_case *one = layer_case_create(&options);
    size_t count = lstm_params_size(one->params), steps = options.steps;
    size_t state = lstm_tensor_extent(both->hn, 2);
    for (size_t k = 0; k < count; k++)
        copy(lstm_params_value(one->params, k),
             lstm_params_value(both->params, direction * count + k));
    for (size_t t = 0; t < steps; t++)
        copy_range(one->x, t, both->x, direction ? steps - 1 - t : t, time_axis(both),
                   1);
    copy_range(one->h0, 0, both->h0, direction, 0, 1);
    copy_range(one->c0, 0, both->c0, direction, 0, 1);
    assert_int_equal(layer_case_forward(one), LSTM_OK);
    lstm_tensor *half;
    assert_int_equal(lstm_tensor_narrow(&half, both->out, 2, direction * state, state),
                     LSTM_OK);
    for (size_t t = 0; t < steps; t++)
        assert_same_range(half, direction ? steps - 1 - t : t, one->out, t,
                          time_axis(both), 1);
    assert_same_range(both->hn, direction, one->hn, 0, 0, 1);
    assert_same_range(both->cn, direction, one->cn, 0, 0, 1);
    lstm_tensor_destroy(&half);
    layer_case_destroy(one);
}

static void two_directions_are_two_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_options options = layer_case_options(i, 7);
        options.config.layers = 1;
        options.config.bidirectional = true;
        layer_case *both = layer_case_create(&options);
        assert_int_equal(layer_case_forward(both), LSTM_OK);
        compare_with_direction(both, 0);
        compare_with_direction(both, 1);
        layer_case_destroy(both);
    }
}

/* Hash of all results after three Adam steps with dropout. */
static uint64_t training_hash(size_t i, uint64_t seed)
{
    layer_options options = layer_case_options(i, seed);
    options.config.dropout = options.config.layers > 1 ? 0.3 : 0;
    layer_case *c = layer_case_create(&options);
    lstm_adam *adam;
    assert_int_equal(lstm_adam_create(&adam, c->params, NULL), LSTM_OK);
    uint64_t hash = HASH_START;
    for (size_t step = 0; step < 3; step++) {
        layer_case_run(c);
        assert_int_equal(lstm_adam_step(adam), LSTM_OK);
        uint64_t part = layer_case_hash(c);
        hash = hash_bytes(hash, &part, sizeof(part));
    }
    lstm_adam_destroy(&adam);
    layer_case_destroy(c);
    return hash;
}

static void the_same_seed_gives_the_same_bits_and_another_does_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        assert_true(training_hash(i, 8) == training_hash(i, 8));
        assert_true(training_hash(i, 8) != training_hash(i, 9));
    }
}

static void the_number_of_threads_does_not_change_results(void **state)
{
    (void)state;
    static const size_t threads[] = {2, 3, 5, 16};
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        assert_int_equal(lstm_set_threads(1), LSTM_OK);
        uint64_t hash = training_hash(i, 10);
        for (size_t k = 0; k < sizeof(threads) / sizeof(threads[0]); k++) {
            assert_int_equal(lstm_set_threads(threads[k]), LSTM_OK);
            assert_true(training_hash(i, 10) == hash);
        }
    }
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
}

/* Hash of a training step that is large enough for queues of one group of rows, whose
 * tasks are single steps. */
static uint64_t large_hash(size_t threads)
{
    assert_int_equal(lstm_set_threads(threads), LSTM_OK);
    layer_options options = layer_case_options(0, 12);
    options.config.inputs = 20;
    options.config.hidden = 100;
    options.config.layers = 2;
    options.config.proj_size = 0;
    options.config.bidirectional = false;
    options.config.dropout = 0.3;
    options.batch = 52;
    options.steps = 6;
    layer_case *c = layer_case_create(&options);
    size_t lengths[52];
    draw_lengths(c, lengths, 13);
    layer_case_run(c);
    uint64_t hash = layer_case_hash(c);
    layer_case_destroy(c);
    return hash;
}

static void tasks_of_threads_do_not_change_results(void **state)
{
    (void)state;
    uint64_t hash = large_hash(1);
    assert_true(large_hash(2) == hash);
    assert_true(large_hash(3) == hash);
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
}

static void assert_same_gradients(const layer_case *a, const layer_case *b)
{
    for (size_t k = 0; k < lstm_params_size(a->params); k++)
        assert_same_bits(lstm_params_grad(a->params, k),
                         lstm_params_grad(b->params, k));
}

static void batch_first_only_changes_the_order_of_axes(void **state)
{
    (void)state;
    layer_case *a;
    for (size_t i = 0; (a = layer_case_spread(i, 11)); i++) {
        layer_options options = a->options;
        options.config.batch_first = !options.config.batch_first;
        layer_case *b = layer_case_create(&options);
        const lstm_tensor *from[] = {a->x, a->dout};
        lstm_tensor *to[] = {b->x, b->dout};
        lstm_tensor *in, *out;
        for (size_t k = 0; k < 2; k++)
            for (size_t n = 0; n < options.batch; n++) {
                assert_int_equal(lstm_tensor_select(&in, from[k], batch_axis(a), n), 0);
                assert_int_equal(lstm_tensor_select(&out, to[k], batch_axis(b), n), 0);
                copy(out, in);
                lstm_tensor_destroy(&in);
                lstm_tensor_destroy(&out);
            }
        copy(b->h0, a->h0);
        copy(b->c0, a->c0);
        copy(b->dhn, a->dhn);
        copy(b->dcn, a->dcn);
        layer_case_run(a);
        layer_case_run(b);
        assert_same_bits(a->hn, b->hn);
        assert_same_bits(a->dh0, b->dh0);
        assert_same_bits(a->dc0, b->dc0);
        assert_same_gradients(a, b);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

static void gradients_of_parameters_add_up_over_calls(void **state)
{
    (void)state;
    layer_case *a;
    for (size_t i = 0; (a = layer_case_spread(i, 12)); i++) {
        layer_case *b = layer_case_spread(i, 12);
        layer_case_run(a);
        layer_case_run(b);
        assert_int_equal(layer_case_forward(b), LSTM_OK);
        assert_int_equal(layer_case_backward(b), LSTM_OK);
        assert_same_bits(a->dx, b->dx);
        for (size_t k = 0; k < lstm_params_size(a->params); k++) {
            lstm_tensor *grad = lstm_params_grad(a->params, k);
            for (size_t j = 0; j < lstm_tensor_count(grad); j++)
                lstm_tensor_data(grad)[j] *= 2;
        }
        assert_near_gradients(a, b);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

/* A backward over steps carries the gradients of the states in two tensors. */
static void dh0_and_dc0_may_be_the_tensors_of_dhn_and_dcn(void **state)
{
    (void)state;
    layer_case *a;
    for (size_t i = 0; (a = layer_case_spread(i, 13)); i++) {
        layer_case *b = layer_case_spread(i, 13);
        size_t lengths[LAYER_CASE_MAX_BATCH];
        if (i % 2) {
            draw_lengths(a, lengths, i);
            b->options.lengths = lengths;
        }
        layer_case_run(a);
        assert_int_equal(layer_case_forward(b), LSTM_OK);
        assert_int_equal(lstm_layer_backward(b->layer, NULL, b->dout, b->dhn, b->dcn,
                                             b->dx, b->dhn, b->dcn),
                         LSTM_OK);
        assert_same_bits(a->dh0, b->dhn);
        assert_same_bits(a->dc0, b->dcn);
        assert_same_bits(a->dx, b->dx);
        assert_same_gradients(a, b);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(permuting_the_batch_permutes_the_results_bit_for_bit),
        TEST(a_sequence_in_two_parts_gives_the_bits_of_one_run),
        TEST(a_batch_with_lengths_equals_its_sequences_one_by_one),
        TEST(padding_does_not_matter_even_when_it_is_nan),
        TEST(lengths_of_all_steps_do_not_change_results),
        TEST(two_directions_are_two_runs),
        TEST(the_same_seed_gives_the_same_bits_and_another_does_not),
        TEST(the_number_of_threads_does_not_change_results),
        TEST(tasks_of_threads_do_not_change_results),
        TEST(batch_first_only_changes_the_order_of_axes),
        TEST(gradients_of_parameters_add_up_over_calls),
        TEST(dh0_and_dc0_may_be_the_tensors_of_dhn_and_dcn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
