"""The shelf: what is sold, for how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.batch import Array, draw

COUNT = 240

KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], float]] = {
    "女装": (("羊毛", "法式", "宽松", "高腰"), ("连衣裙", "针织衫", "阔腿裤", "风衣", "半身裙"), 260),
    "美妆": (("保湿", "焕亮", "修护", "控油"), ("精华液", "面膜", "粉底液", "唇釉", "防晒霜"), 150),
    "食品": (("手工", "低糖", "云南", "有机"), ("坚果礼盒", "挂耳咖啡", "鲜花饼", "燕麦片", "牛肉干"), 60),
    "母婴": (("纯棉", "婴儿", "儿童", "亲肤"), ("连体衣", "纸尿裤", "保温杯", "绘本", "睡袋"), 110),
    "家居": (("北欧", "加厚", "日式", "可折叠"), ("四件套", "收纳箱", "香薰蜡烛", "抱枕", "台灯"), 130),
    "数码": (("无线", "磁吸", "便携", "智能"), ("耳机", "充电宝", "手环", "音箱", "键盘"), 320),
    "运动": (("速干", "轻量", "专业", "减震"), ("跑鞋", "瑜伽垫", "运动T恤", "水壶", "护膝"), 180),
    "宠物": (("无谷", "冻干", "耐咬", "除臭"), ("猫粮", "狗粮", "猫砂", "玩具", "牵引绳"), 90),
}
"""Category: (adjectives, nouns, usual price in yuan)."""
CATEGORIES = tuple(KINDS)
VARIANTS = ("经典款", "升级款")
BRANDS = ("源头自营", "山里来", "木每", "Lumi & Co", "北野", "小满", "OAK°", "一白")


@dataclass(frozen=True, slots=True)
class Products:
    """One entry a product, by code; prices and costs in cents, `popularity` sums to 1."""

    name: tuple[str, ...]
    category: Array
    brand: Array
    price: Array
    cost: Array
    popularity: Array

    def sku(self) -> tuple[str, ...]:
        """The stock keeping unit of every product."""
        return tuple(f"SKU{code + 1:05d}" for code in range(len(self.name)))

    def pick(self, rng: np.random.Generator, count: int) -> Array:
        """`count` product codes, popular ones more often."""
        return draw(rng, self.popularity, count).astype(np.int16)


def products(seed: int) -> Products:
    """The shelf of the shop with this seed."""
    rng = np.random.default_rng([seed, 1])
    category = np.arange(COUNT) % len(CATEGORIES)
    usual = np.array([kind[2] for kind in KINDS.values()])[category]
    price = (usual * rng.lognormal(0, 0.5, COUNT)).round().clip(min=9).astype(np.int64) * 100 - 10
    popularity = 1 / (rng.permutation(COUNT) + 4.0)
    return Products(
        name=_names(rng),
        category=category,
        brand=rng.integers(0, len(BRANDS), COUNT),
        price=price,
        cost=(price * rng.uniform(0.35, 0.6, COUNT)).astype(np.int64),
        popularity=popularity / popularity.sum(),
    )


def _names(rng: np.random.Generator) -> tuple[str, ...]:
    """A different name for every product, by code: category after category in turn."""
    by_category = []
    for adjectives, nouns, _ in KINDS.values():
        every = [f"{a}{n}·{variant}" for a in adjectives for n in nouns for variant in VARIANTS]
        by_category.append([every[i] for i in rng.permutation(len(every))])
    return tuple(by_category[code % len(KINDS)][code // len(KINDS)] for code in range(COUNT))
