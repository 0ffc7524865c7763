#include "examples/csv/field.h"

/* The civil calendar in days, after eras of 400 years of 146,097 days that begin in
 * March. */
long csv_days_of_date(long year, int month, int day)
{
    year -= month <= 2;
    long era = (year >= 0 ? year : year - 399) / 400;
    long of_era = year - era * 400;
    long of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void csv_date_of_days(long days, long *year, int *month, int *day)
{
    days += 719468;
    long era = (days >= 0 ? days : days - 146096) / 146097;
    long rest = days - era * 146097;
    long of_era = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    long of_year = rest - (365 * of_era + of_era / 4 - of_era / 100);
    long from_march = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = era * 400 + of_era + (*month <= 2);
}

int csv_weekday_of_days(long days)
{
    /* 1970-01-01 is a Thursday. */
    long day = (days + 3) % 7;
    return (int)(day < 0 ? day + 7 : day);
}

/* The first week has 4 January. */
long csv_days_of_week(long year, int week)
{
    long fourth = csv_days_of_date(year, 1, 4);
    return fourth - csv_weekday_of_days(fourth) + 7L * (week - 1);
}

void csv_week_of_days(long days, long *year, int *week)
{
    int month, day;
    long thursday = days - csv_weekday_of_days(days) + 3;
    csv_date_of_days(thursday, year, &month, &day);
    *week = (int)((thursday - csv_days_of_date(*year, 1, 1)) / 7 + 1);
}
