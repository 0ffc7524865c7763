/* Plays samples, one in a line, through a model that RTNeural's own parser reads. */
#include <fstream>
#include <iostream>

#include <RTNeural/RTNeural.h>

int main(int, char **argv)
{
    std::ifstream file(argv[1]);
    auto model = RTNeural::json_parser::parseJson<float>(file, false);
    model->reset();
    std::cout.precision(9);
    for (float x; std::cin >> x;)
        std::cout << model->forward(&x) << "\n";
}
