#include <vector>

namespace shop {

template <typename T>
class Cart : public Base<T>, private Log {
public:
    static constexpr int limit = 10;
    explicit Cart(std::vector<T> items) : items_(std::move(items)) {}
    ~Cart();
    virtual Money total() const = 0;
    Cart &operator+=(const T &item) {
        items_.push_back(item);
        return *this;
    }

private:
    std::vector<T> items_;
};

struct Item {
    Money price;
};

enum class Size { small, large };

using Prices = std::map<std::string, Money>;

template <typename T>
T clamp(T value) {
    return bound<T>(value);
}

}  // namespace shop

Money shop::Item::cost(int count) const {
    auto *made = new Receipt(count);
    return made->print();
}

int *shop_start(void) { return nullptr; }
