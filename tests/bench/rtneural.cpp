/*
 * Steps of a stream in RTNeural: LSTM(1, H) and a linear layer to one output, compiled
 * for H. compare.py compiles it and reads the JSON that it prints.
 *
 * usage: rtneural H STEPS SECONDS
 */
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <vector>

#include <RTNeural/RTNeural.h>

using Matrix = std::vector<std::vector<float>>;

static Matrix draw(std::mt19937 &random, size_t rows, size_t columns, float range)
{
    std::uniform_real_distribution<float> values(-range, range);
    Matrix matrix(rows, std::vector<float>(columns));
    for (auto &row : matrix)
        for (float &value : row)
            value = values(random);
    return matrix;
}

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

template <int H> static void measure(size_t steps, double seconds)
{
    using namespace RTNeural;
    static ModelT<float, 1, 1, LSTMLayerT<float, 1, H>, DenseT<float, H, 1>> model;
    const float range = 1 / std::sqrt((float)H);
    std::mt19937 random(1);
    auto &lstm = model.template get<0>();
    lstm.setWVals(draw(random, 1, 4 * H, range));
    lstm.setUVals(draw(random, H, 4 * H, range));
    lstm.setBVals(draw(random, 1, 4 * H, range)[0]);
    auto &head = model.template get<1>();
    const float bias[] = {0.1f};
    head.setWeights(draw(random, 1, H, range));
    head.setBias(bias);
    model.reset();
    /* Whole calls of steps; together they take far longer than reading the clocks. */
    const size_t count = 4096 / steps * steps;
    const std::vector<float> x = draw(random, 1, count, 1)[0];
    std::vector<float> y(count);
    std::vector<double> wall, cpu;
    for (double end = seconds_of(CLOCK_MONOTONIC) + seconds;
         cpu.size() < 5 || seconds_of(CLOCK_MONOTONIC) < end;) {
        double wall_start = seconds_of(CLOCK_MONOTONIC);
        double cpu_start = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < count; i++)
            y[i] = model.forward(&x[i]);
        const double calls = (double)count / (double)steps;
        cpu.push_back((seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_start) / calls);
        wall.push_back((seconds_of(CLOCK_MONOTONIC) - wall_start) / calls);
        __asm__ volatile("" : : "r"(y.data()) : "memory");
    }
    std::printf("{\"median_ms\": %.9g, \"cpu_ms\": %.9g}\n", median(wall) * 1e3,
                median(cpu) * 1e3);
}

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    const size_t steps = std::strtoul(words[2], nullptr, 10);
    const double seconds = std::strtod(words[3], nullptr);
    switch (std::atoi(words[1])) {
    case 8:
        measure<8>(steps, seconds);
        return 0;
    case 16:
        measure<16>(steps, seconds);
        return 0;
    case 20:
        measure<20>(steps, seconds);
        return 0;
    case 24:
        measure<24>(steps, seconds);
        return 0;
    case 32:
        measure<32>(steps, seconds);
        return 0;
    case 40:
        measure<40>(steps, seconds);
        return 0;
    case 64:
        measure<64>(steps, seconds);
        return 0;
    default:
        return 2;
    }
}
