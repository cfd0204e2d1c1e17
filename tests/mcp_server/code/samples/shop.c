#include <stdio.h>
#define LIMIT 10
#define MIN(a, b) ((a) < (b) ? (a) : (b))

typedef struct item {
    const char *name;
    struct price *price;
} item_t;

typedef int (*compare_fn)(const void *, const void *);

struct shop {
    item_t items[LIMIT];
};

enum size { SMALL, LARGE };

union bits {
    int a;
    float b;
};

static int total = 0;
extern const char *names[];

int count(const struct shop *shop);

static struct price *price_of(item_t *item)
{
    return lookup(item->name, MIN(1, 2));
}

int main(int argc, char **argv)
{
    item_t first = {0};
    first.handler(&first);
    printf("%d\n", total);
    return 0;
}
