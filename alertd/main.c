/*
 * alertd: takes samples, evaluates rules kept in SQLite, pages, keeps incidents, serves
 * the dashboard and the API. All of it is in app/.
 */

#include "alertd/app/app.h"

int main(int argc, char **argv)
{
    return (int)app_main(argc, argv);
}
