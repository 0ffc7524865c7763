/*
 * The error values of spreadsheets, which they write into tables as they show them: in
 * English, German, French, Spanish, Italian and Dutch.
 */
#include <string.h>

#include "examples/csv/scan.h"

size_t csv_error_length(const unsigned char *at, const unsigned char *end)
{
    static const char *const words[] = {"#N/A",
                                        "#NA",
                                        "#NV",
                                        "#N/D",
                                        "#N/B",
                                        "#GETTING_DATA",
                                        "#REF!",
                                        "#DIV/0!",
                                        "#VALUE!",
                                        "#NUM!",
                                        "#NAME?",
                                        "#NULL!",
                                        "#SPILL!",
                                        "#CALC!",
                                        "#FIELD!",
                                        "#BLOCKED!",
                                        "#BUSY!",
                                        "#CONNECT!",
                                        "#UNKNOWN!",
                                        "#BEZUG!",
                                        "#WERT!",
                                        "#ZAHL!",
                                        "#VALEUR!",
                                        "#NOMBRE!",
                                        "#NOM?",
                                        "#NUL!",
                                        "#RIF!",
                                        "#VALORE!",
                                        "#NOME?",
                                        "#NULLO!",
                                        "#VERW!",
                                        "#WAARDE!",
                                        "#GETAL!",
                                        "#NAAM?",
                                        "#LEEG!",
                                        "#DEEL/0!",
                                        "#\302\241REF!",
                                        "#\302\241VALOR!",
                                        "#\302\241NUM!",
                                        "#\302\241NULO!",
                                        "#\302\241DIV/0!",
                                        "#\302\277NOMBRE?"};
    size_t longest = 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t length = strlen(words[i]);
        if (length > longest && (size_t)(end - at) >= length &&
            memcmp(at, words[i], length) == 0)
            longest = length;
    }
    return longest;
}
