"""The vocabulary of the shop: values that appear in the data, in the order of their codes."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Event(IntEnum):
    """What the tracker sends; the name in lower case is the value of the column `event`."""

    APP_LAUNCH = 0
    APP_SHOW = 1
    APP_HIDE = 2
    PAGE_VIEW = 3
    SEARCH = 4
    EXPOSURE = 5
    CLICK = 6
    DETAIL_VIEW = 7
    FAVORITE = 8
    ADD_TO_CART = 9
    REMOVE_FROM_CART = 10
    CHECKOUT_START = 11
    ORDER_SUBMIT = 12
    PAY_SUCCESS = 13
    PAY_FAIL = 14
    COUPON_RECEIVE = 15
    COUPON_USE = 16
    SHARE = 17
    SHARE_OPEN = 18
    SUBSCRIBE_ACCEPT = 19
    PUSH_OPEN = 20
    REGISTER = 21
    REFUND_SUCCESS = 22


EVENTS = tuple(event.name.lower() for event in Event)

SECONDS_BEFORE = np.array(
    [0, 0.05, 18, 1.5, 6, 2, 5, 0.3, 18, 28, 8, 12, 18, 10, 10, 8, 5, 12, 0, 4, 0, 24, 0], dtype=np.float64
)
"""Mean seconds between the event before and this one, by event code."""


class Page(IntEnum):
    """Pages of the mini-program; see PAGES for their paths."""

    HOME = 0
    SEARCH = 1
    DETAIL = 2
    CART = 3
    CHECKOUT = 4
    RESULT = 5
    MEMBER = 6


PAGES = (
    "pages/index/index",
    "pages/search/index",
    "pages/detail/index",
    "pages/cart/index",
    "pages/checkout/index",
    "pages/pay/result",
    "pages/member/index",
)

APPS = ("wx_mall", "wx_club")
PLATFORMS = ("ios", "android", "ohos", "windows", "mac")
PLATFORM_WEIGHTS = np.array([0.38, 0.55, 0.04, 0.02, 0.01])
IOS, ANDROID = 0, 1
VERSIONS = ("3.6.2", "3.7.0", "3.8.0", "3.8.1")
OLD, USUAL, BROKEN, MENDED = range(4)

PROVINCES = (
    "广东", "江苏", "浙江", "山东", "河南", "四川", "上海", "北京", "湖北", "湖南", "安徽", "河北",
    "福建", "陕西", "辽宁", "江西", "重庆", "广西", "云南", "天津", "山西", "贵州", "黑龙江", "吉林",
    "内蒙古", "新疆", "甘肃", "海南", "宁夏", "青海", "西藏", "香港", "澳门", "台湾",
)  # fmt: skip
CITY_TIERS = ("一线", "新一线", "二线", "三线及以下")
GENDERS = ("女", "男")
AGE_BANDS = ("18-24", "25-29", "30-34", "35-39", "40-49", "50+")
MEMBER_LEVELS = ("普通会员", "银卡会员", "金卡会员", "钻石会员")
MEMBER_THRESHOLDS = np.array([20_000, 80_000, 200_000])
"""Cents paid in all from which on a member is one level higher."""

REFUND_REASONS = ("七天无理由退货", "尺码不合适", "质量问题", "发货太慢", "拍错/多拍", "商品与描述不符")
STATUSES = ("unpaid", "paid", "partly_refunded", "refunded")
