/*
 * An LSTM in oneDNN 3, through its own interface. compare.py compiles it and reads the
 * JSON that it prints.
 *
 * usage: onednn WORK N T I H L SECONDS
 *
 * WORK is train (forward and backward, without loss and optimiser; weights are copied
 * into oneDNN's formats in each step, because a step changes them), infer (the whole
 * sequence) or stream (T steps from the states of the last call). OMP_NUM_THREADS is
 * the number of threads.
 */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#if DNNL_VERSION_MAJOR < 3
#error "oneDNN 3 is needed"
#endif

using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;

static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
static dnnl::stream stream(engine);

static memory::desc floats(const memory::dims &dims, memory::format_tag format)
{
    return memory::desc(dims, memory::data_type::f32, format);
}

/* Memory with uniform values up to range. */
static memory filled(const memory::desc &format, float range)
{
    static std::mt19937 random(1);
    std::uniform_real_distribution<float> values(-range, range);
    memory made(format, engine);
    float *data = (float *)made.get_data_handle();
    for (size_t i = 0; i < format.get_size() / sizeof(float); i++)
        data[i] = values(random);
    return made;
}

/* A copy of from that is made again by refresh(), or from itself. */
struct Copy {
    memory from, to;

    Copy(const memory &source, const memory::desc &format) : from(source), to(source)
    {
        if (format != source.get_desc())
            to = memory(format, engine);
        refresh();
    }

    void refresh()
    {
        if (to.get() != from.get())
            dnnl::reorder(from, to).execute(stream, from, to);
    }
};

/* Layers whose inputs have the same size. */
struct Part {
    memory::desc in, out, states, weights_x, weights_h, biases;
    Arguments forward_arguments, backward_arguments;
    dnnl::primitive forward, backward;
    std::vector<Copy> forward_weights, backward_weights;
    std::vector<memory> gradients;
    memory y, dx, h, c;

    Part(long batch, long steps, long inputs, long hidden, long layers, bool training,
         bool carried, const memory &x)
    {
        using tag = memory::format_tag;
        in = floats({steps, batch, inputs}, tag::tnc);
        out = floats({steps, batch, hidden}, tag::tnc);
        if (carried)
            states = floats({layers, 1, batch, hidden}, tag::ldnc);
        weights_x = floats({layers, 1, inputs, 4, hidden}, tag::any);
        weights_h = floats({layers, 1, hidden, 4, hidden}, tag::any);
        biases = floats({layers, 1, 4, hidden}, tag::ldgo);
        const float range = 1 / std::max(1.0f, (float)hidden / 8);
        memory wx = filled(floats(weights_x.get_dims(), tag::ldigo), range);
        memory wh = filled(floats(weights_h.get_dims(), tag::ldigo), range);
        memory bias = filled(biases, range);
        y = filled(out, 1);
        dnnl::lstm_forward::primitive_desc plan(
            engine,
            training ? dnnl::prop_kind::forward_training
                     : dnnl::prop_kind::forward_inference,
            dnnl::rnn_direction::unidirectional_left2right, in, states, states,
            weights_x, weights_h, biases, out, states, states);
        forward = dnnl::lstm_forward(plan);
        forward_weights = {Copy(wx, plan.weights_layer_desc()),
                           Copy(wh, plan.weights_iter_desc())};
        forward_arguments = {{DNNL_ARG_SRC_LAYER, x},
                             {DNNL_ARG_WEIGHTS_LAYER, forward_weights[0].to},
                             {DNNL_ARG_WEIGHTS_ITER, forward_weights[1].to},
                             {DNNL_ARG_BIAS, bias},
                             {DNNL_ARG_DST_LAYER, y}};
        if (carried) {
            h = filled(states, 0.1f);
            c = filled(states, 0.1f);
            forward_arguments.insert({{DNNL_ARG_SRC_ITER, h},
                                      {DNNL_ARG_SRC_ITER_C, c},
                                      {DNNL_ARG_DST_ITER, memory(states, engine)},
                                      {DNNL_ARG_DST_ITER_C, memory(states, engine)}});
        }
        if (training)
            plan_backward(plan, wx, wh);
    }

    void plan_backward(const dnnl::lstm_forward::primitive_desc &hint, const memory &wx,
                       const memory &wh)
    {
        const memory::desc none;
        dnnl::lstm_backward::primitive_desc plan(
            engine, dnnl::prop_kind::backward,
            dnnl::rnn_direction::unidirectional_left2right, in, none, none, weights_x,
            weights_h, biases, out, none, none, in, none, none, weights_x, weights_h,
            biases, out, none, none, hint);
        backward = dnnl::lstm_backward(plan);
        backward_weights = {Copy(wx, plan.weights_layer_desc()),
                            Copy(wh, plan.weights_iter_desc())};
        memory workspace(hint.workspace_desc(), engine);
        forward_arguments.insert({DNNL_ARG_WORKSPACE, workspace});
        dx = memory(in, engine);
        gradients = {memory(plan.diff_weights_layer_desc(), engine),
                     memory(plan.diff_weights_iter_desc(), engine),
                     memory(plan.diff_bias_desc(), engine)};
        backward_arguments = forward_arguments;
        backward_arguments[DNNL_ARG_WEIGHTS_LAYER] = backward_weights[0].to;
        backward_arguments[DNNL_ARG_WEIGHTS_ITER] = backward_weights[1].to;
        backward_arguments.insert({{DNNL_ARG_DIFF_SRC_LAYER, dx},
                                   {DNNL_ARG_DIFF_WEIGHTS_LAYER, gradients[0]},
                                   {DNNL_ARG_DIFF_WEIGHTS_ITER, gradients[1]},
                                   {DNNL_ARG_DIFF_BIAS, gradients[2]}});
    }

    void run_forward(bool training)
    {
        for (Copy &copy : forward_weights)
            if (training)
                copy.refresh();
        forward.execute(stream, forward_arguments);
        if (h) {
            std::swap(forward_arguments[DNNL_ARG_SRC_ITER],
                      forward_arguments[DNNL_ARG_DST_ITER]);
            std::swap(forward_arguments[DNNL_ARG_SRC_ITER_C],
                      forward_arguments[DNNL_ARG_DST_ITER_C]);
        }
    }

    void run_backward(const memory &dy)
    {
        for (Copy &copy : backward_weights)
            copy.refresh();
        for (memory &gradient : gradients)
            std::memset(gradient.get_data_handle(), 0, gradient.get_desc().get_size());
        backward_arguments[DNNL_ARG_DIFF_DST_LAYER] = dy;
        backward.execute(stream, backward_arguments);
    }
};

static double seconds_of(clockid_t clock)
{
    timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double median(std::vector<double> &values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

int main(int count, char **words)
{
    if (count != 8)
        return 2;
    const std::string work = words[1];
    const bool training = work == "train", carried = work == "stream";
    const long batch = std::atol(words[2]), steps = std::atol(words[3]);
    const long inputs = std::atol(words[4]), hidden = std::atol(words[5]);
    const long layers = std::atol(words[6]);
    const double duration = std::atof(words[7]);
    /* A primitive has layers with inputs of one size: the first, and the others. */
    const memory x = filled(floats({steps, batch, inputs}, memory::format_tag::tnc), 1);
    std::vector<Part> parts;
    parts.emplace_back(batch, steps, inputs, hidden, 1, training, carried, x);
    if (layers > 1)
        parts.emplace_back(batch, steps, hidden, hidden, layers - 1, training, carried,
                           parts[0].y);
    const memory dy = filled(parts.back().out, 0.01f);
    std::vector<double> wall, cpu;
    for (double end = seconds_of(CLOCK_MONOTONIC) + duration;
         cpu.size() < 5 || seconds_of(CLOCK_MONOTONIC) < end;) {
        double wall_start = seconds_of(CLOCK_MONOTONIC);
        double cpu_start = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        for (Part &part : parts)
            part.run_forward(training);
        for (size_t i = parts.size(); training && i-- > 0;)
            parts[i].run_backward(i + 1 < parts.size() ? parts[i + 1].dx : dy);
        stream.wait();
        cpu.push_back(seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_start);
        wall.push_back(seconds_of(CLOCK_MONOTONIC) - wall_start);
    }
    std::printf("{\"median_ms\": %.9g, \"cpu_ms\": %.9g}\n", median(wall) * 1e3,
                median(cpu) * 1e3);
    return 0;
}
