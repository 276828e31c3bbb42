"""Where visits come from: the scene table, the channels' character, the campaigns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel. `draws` and `returns` weigh first and later visits, `quality` multiplies the will to buy,
    `loyalty` is the share of its new people who ever come back, `cost` is yuan per paid click."""

    name: str
    label: str
    group: str
    scenes: dict[int, str]
    draws: float
    returns: float
    quality: float
    loyalty: float
    cost: float = 0.0


INTERNAL, EXTERNAL, PLATFORM, EXCLUDED = "internal", "external", "platform", "excluded"
GROUP_LABELS = {INTERNAL: "内部", EXTERNAL: "外部", PLATFORM: "平台分发", EXCLUDED: "已排除"}

CHANNELS = (
    Channel("official_account", "公众号", INTERNAL, {
        1020: "公众号资料页相关小程序", 1035: "公众号自定义菜单", 1043: "公众号模板消息", 1058: "公众号文章",
        1074: "公众号会话消息卡片", 1082: "公众号会话文字链", 1091: "公众号文章商品卡片", 1102: "公众号资料页服务预览",
        1144: "公众号文章视频贴片", 1152: "订阅号视频", 1157: "服务号会话菜单",
    }, draws=10, returns=10, quality=1.25, loyalty=0.52),
    Channel("share_card", "会话/群分享", INTERNAL, {
        1007: "单人聊天消息卡片", 1008: "群聊消息卡片", 1044: "带 shareTicket 的消息卡片", 1096: "聊天记录",
        1158: "群工具", 1160: "群待办", 1185: "群公告",
    }, draws=16, returns=9, quality=1.1, loyalty=0.42),
    Channel("message", "订阅/客服消息", INTERNAL, {
        1014: "小程序订阅消息", 1073: "客服消息卡片", 1081: "客服消息文字链", 1088: "会话系统消息", 1107: "订阅消息",
    }, draws=1, returns=14, quality=1.5, loyalty=0.60),
    Channel("quick_entry", "最近使用/我的小程序", INTERNAL, {
        1001: "发现栏最近使用", 1010: "收藏夹", 1023: "安卓桌面图标", 1089: "下拉最近使用", 1090: "右上角最近使用",
        1103: "发现栏我的小程序", 1104: "下拉我的小程序", 1131: "浮窗",
    }, draws=4, returns=36, quality=1.6, loyalty=0.62),
    Channel("viral_campaign", "社交裂变", EXTERNAL, {1036: "App 分享消息卡片"},
            draws=9, returns=2, quality=0.55, loyalty=0.16, cost=1.4),
    Channel("paid_ads", "广告投放", EXTERNAL, {
        1045: "朋友圈广告", 1046: "朋友圈广告详情页", 1067: "公众号文章广告", 1068: "附近小程序广告",
        1084: "朋友圈广告原生页", 1095: "小程序广告组件",
    }, draws=22, returns=3, quality=0.6, loyalty=0.20, cost=4.5),
    Channel("content_seeding", "内容种草/视频号", EXTERNAL, {
        1175: "视频号主页商店", 1176: "视频号直播间", 1177: "视频号直播商品", 1184: "视频号链接",
        1195: "视频号主页服务菜单",
    }, draws=12, returns=5, quality=1.15, loyalty=0.38, cost=2.6),
    Channel("app_web", "外部 App/H5", EXTERNAL, {
        1065: "URL Scheme", 1069: "移动应用打开", 1167: "H5 开放标签", 1168: "网站应用直接运行",
    }, draws=5, returns=3, quality=0.8, loyalty=0.30, cost=1.6),
    Channel("offline_qr", "扫码", EXTERNAL, {
        1011: "扫描二维码", 1012: "长按识别二维码", 1013: "相册选取二维码", 1025: "扫描一维码", 1047: "扫描小程序码",
        1048: "长按识别小程序码", 1049: "相册选取小程序码", 1124: "扫一物一码", 1125: "长按识别一物一码",
        1126: "相册选取一物一码", 1150: "扫商品条码",
    }, draws=9, returns=5, quality=1.35, loyalty=0.45, cost=0.8),
    Channel("search", "搜索", PLATFORM, {
        1005: "首页顶部搜索", 1006: "发现栏小程序搜索", 1027: "搜索页使用过的小程序", 1042: "添加好友搜索",
        1053: "搜一搜", 1106: "下拉顶部搜索", 1183: "电脑端搜索",
    }, draws=8, returns=7, quality=1.4, loyalty=0.44),
    Channel("nearby_market", "附近/服务市场", PLATFORM, {
        1026: "附近的小程序", 1092: "城市服务", 1135: "服务市场", 1146: "地理位置", 1169: "发现栏附近服务",
    }, draws=2, returns=2, quality=0.7, loyalty=0.25),
    Channel("pay_wallet", "支付/卡包", PLATFORM, {
        1019: "微信钱包", 1028: "我的卡包", 1029: "卡券详情页", 1034: "微信支付完成页", 1052: "卡券适用门店",
        1060: "支付完成页推荐", 1071: "银行卡列表页", 1072: "二维码收款页", 1097: "支付签约页", 1148: "交通卡",
    }, draws=2, returns=4, quality=1.0, loyalty=0.35),
)  # fmt: skip

NAMES = tuple(channel.name for channel in CHANNELS)
SHARE_CARD, MESSAGE, VIRAL, PAID_ADS, SEARCH = (
    NAMES.index(name) for name in ("share_card", "message", "viral_campaign", "paid_ads", "search")
)
UNMAPPED, TEST_TRAFFIC = len(NAMES), len(NAMES) + 1
RESOLVED_NAMES = (*NAMES, "(unmapped)", "test_traffic")
"""The channels a visit can resolve to, by code."""

BOT_SCENES = {1129: "微信爬虫", 1030: "自动化测试", 1017: "体验版入口", 1059: "体验版邀请页"}
CRAWLER_SCENE = 1129
UNKNOWN_SCENE = 1301
"""A scene newer than the table."""
POSTER_SCENE = 1047
"""The code on a shared poster: its scene says scan, its share id says share."""

QUALITY = np.array([channel.quality for channel in CHANNELS], dtype=np.float32)
LOYALTY = np.array([channel.loyalty for channel in CHANNELS], dtype=np.float32)
DRAWS = np.array([channel.draws for channel in CHANNELS])
RETURNS = np.array([channel.returns for channel in CHANNELS])

SCENES = np.zeros((len(CHANNELS), max(len(channel.scenes) for channel in CHANNELS)), dtype=np.int16)
"""Scene codes by channel, padded with zeros; SCENE_COUNTS says how many are real."""
for _row, _channel in zip(SCENES, CHANNELS, strict=True):
    _row[: len(_channel.scenes)] = list(_channel.scenes)
SCENE_COUNTS = np.array([len(channel.scenes) for channel in CHANNELS])

CAMPAIGNS: tuple[tuple[str, str], ...] = (
    ("paid_ads", "朋友圈-秋季上新"),
    ("paid_ads", "朋友圈-大促冲量"),
    ("paid_ads", "激励视频-满300减50"),
    ("viral_campaign", "三人拼团"),
    ("viral_campaign", "助力砍价"),
    ("viral_campaign", "老带新礼"),
    ("content_seeding", "KOL测评-秋冬护肤"),
    ("content_seeding", "视频号直播专场"),
    ("content_seeding", '买家秀"95%好评"'),
    ("offline_qr", "门店立牌"),
    ("offline_qr", "包裹卡"),
    ("app_web", "H5领券"),
    ("message", "会员日召回"),
    ("message", "降价提醒"),
    ("official_account", "周三推文"),
)
"""(channel, campaign). A link that carries one carries both; names hold quotes and % because real ones do."""
CAMPAIGN_NAMES = tuple(name for _, name in CAMPAIGNS)
CAMPAIGN_SHARE = {"paid_ads": 0.85, "viral_campaign": 1.0, "content_seeding": 0.7, "offline_qr": 0.4, "app_web": 0.5,
                  "message": 0.6, "official_account": 0.3}  # fmt: skip
"""How many of a channel's visits carry campaign parameters."""

BRAND_CAMPAIGN = "KOL品牌曝光"
"""Money spent on content seeding that brings no visit with a campaign parameter: spend without conversions."""


def channel_rows() -> list[dict[str, object]]:
    """The scene table: scene, channel and channel group with their Chinese names."""
    rows: list[dict[str, object]] = [
        {
            "scene": scene,
            "scene_name": scene_name,
            "channel": channel.name,
            "channel_name": channel.label,
            "channel_group": channel.group,
            "channel_group_name": GROUP_LABELS[channel.group],
        }
        for channel in CHANNELS
        for scene, scene_name in channel.scenes.items()
    ]
    excluded = {"channel": "test_traffic", "channel_name": "测试与爬虫", "channel_group": EXCLUDED,
                "channel_group_name": GROUP_LABELS[EXCLUDED]}  # fmt: skip
    rows.extend({"scene": scene, "scene_name": name, **excluded} for scene, name in BOT_SCENES.items())
    return sorted(rows, key=lambda row: int(str(row["scene"])))


def group_rows() -> list[dict[str, object]]:
    """The channel table: one row a channel, for facts that know the channel and no scene."""
    keys = ("channel", "channel_name", "channel_group", "channel_group_name")
    distinct = {str(row["channel"]): {key: row[key] for key in keys} for row in channel_rows()}
    return [distinct[name] for name in sorted(distinct)]
